package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/meridian-store/meridian/kit/retry"
)

var errBusy = errors.New("busy")

func TestUntil_PausesGrowToTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pauses []time.Duration
		attempts := 0
		err := retry.Until(t.Context(), 100*time.Millisecond, time.Second, func(context.Context) error {
			if attempts++; attempts == 10 {
				return nil
			}
			return errBusy
		}, func(err error, pause time.Duration) {
			if !errors.Is(err, errBusy) {
				t.Errorf("notified of %v", err)
			}
			pauses = append(pauses, pause)
		})
		if err != nil || attempts != 10 || len(pauses) != 9 {
			t.Fatalf("%d attempts, %d pauses: %v", attempts, len(pauses), err)
		}
		if pauses[0] > 150*time.Millisecond || pauses[8] < 500*time.Millisecond || pauses[8] > 1500*time.Millisecond {
			t.Errorf("pauses %v, want from about 100 ms to about 1 s", pauses)
		}
	})
}

func TestUntil_EndsWithContextOrPermanentError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errGaveUp := errors.New("the caller gave up")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errGaveUp)
		defer cancel()
		begun := time.Now()
		err := retry.Until(ctx, time.Second, 5*time.Second, func(context.Context) error { return errBusy }, nil)
		if !errors.Is(err, errGaveUp) || errors.Is(err, errBusy) || time.Since(begun) != time.Minute {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
		err = retry.Until(t.Context(), time.Second, time.Second, func(context.Context) error { return retry.Permanent(errBusy) }, nil)
		if !errors.Is(err, errBusy) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAfter_ReplacesThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, attempts := time.Now(), 0
		err := retry.Until(t.Context(), time.Millisecond, time.Millisecond, func(context.Context) error {
			if attempts++; attempts == 2 {
				return nil
			}
			return retry.After(errBusy, time.Hour)
		}, nil)
		if took := time.Since(begun); err != nil || took < time.Hour || took > 75*time.Minute {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
	})
	var pause *backoff.RetryAfterError
	if err := retry.After(errBusy, 0); !errors.Is(err, errBusy) || errors.As(err, &pause) {
		t.Errorf("without a pause: %v", err)
	}
}
