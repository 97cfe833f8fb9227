package postgres_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/meridian-store/meridian/local/engine/enginetest"
)

func TestMain(m *testing.M) {
	enginetest.Main(m, func() error { return goleak.Find() })
}
