package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/kit/secret"
)

func TestSecret_AcceptsCurrentAndPrevious(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":          nil,
		"one":       {"one"},
		"two one":   {"two", "one"},
		" two\tone": {"two", "one"},
	} {
		s, err := secret.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Values(); !slices.Equal(got, want) {
			t.Errorf("%q: values %q, want %q", text, got, want)
		}
		for _, value := range []string{"", "one", "two", "three", "two one"} {
			if got := s.Matches(value); got != slices.Contains(want, value) {
				t.Errorf("%q matches %q: %v", text, value, got)
			}
		}
		if s.IsSet() != (len(want) > 0) {
			t.Errorf("%q: IsSet is %v", text, s.IsSet())
		}
	}
}

func TestSecret_RefusesThreeValues(t *testing.T) {
	t.Parallel()
	if _, err := secret.Parse("hunter1 hunter2 hunter3"); err == nil || strings.Contains(err.Error(), "hunter") {
		t.Errorf("got %v", err)
	}
}

func TestSecret_IsNeverShown(t *testing.T) {
	t.Parallel()
	s := struct {
		Key secret.Secret
		key secret.Secret
	}{secret.New("hunter2"), secret.New("hunter2")}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("Test", "key", s.Key, "whole", s)
	encoded, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	shown := log.String() + string(encoded) + fmt.Sprintf("%v %+v %#v %s %q %x", s, s, s, s.Key, s.Key, s.Key)
	if strings.Contains(shown, "hunter2") || strings.Count(shown, "[redacted]") < 5 {
		t.Errorf("shown: %s", shown)
	}
}
