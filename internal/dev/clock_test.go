package dev_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"rappel/internal/dev"
)

func TestTheClockGoesOnFromWhereItWasSet(t *testing.T) {
	t.Parallel()
	start := time.Date(2027, 3, 13, 9, 0, 0, 0, time.UTC)
	c := dev.NewClock(start)
	if err := c.Advance(t.Context(), 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if past := c.Now().Sub(start); past < 24*time.Hour || past > 25*time.Hour {
		t.Errorf("it shows %s after its start", past)
	}
}

func TestTheClockGoesForwardOnly(t *testing.T) {
	t.Parallel()
	if err := dev.NewClock(time.Now()).Advance(t.Context(), -time.Hour); !errors.Is(err, dev.ErrBackwards) {
		t.Error(err)
	}
}

func TestWhoWantsToKnowSeesTheNewTime(t *testing.T) {
	t.Parallel()
	c := dev.NewClock(time.Now())
	before, failure := c.Now(), errors.New("no database")
	var seen time.Time
	c.OnAdvance(func(context.Context) error {
		seen = c.Now()
		return failure
	})
	if err := c.Advance(t.Context(), time.Hour); !errors.Is(err, failure) {
		t.Errorf("Advance returned %v", err)
	}
	if seen.Sub(before) < time.Hour {
		t.Errorf("it was %s when told", seen)
	}
}
