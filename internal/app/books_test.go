package app_test

import (
	"testing"
	"time"

	"rappel/internal/app"
)

// TestTheBooksOfAnHourAreReadAnewNowAndThen looks every 15 seconds for two hours
// at books in which something is missing, and which somebody mends.
func TestTheBooksOfAnHourAreReadAnewNowAndThen(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, time.November, 21, 12, 0, 10, 0, time.UTC)
	at := func(minutes int) time.Time {
		return begin.Truncate(time.Minute).Add(time.Duration(minutes) * time.Minute)
	}
	books := map[time.Time]int64{at(-30): 2, at(-70): 5}
	var tally app.Tally
	var read time.Duration
	for now := begin; now.Before(begin.Add(2 * time.Hour)); now = now.Add(15 * time.Second) {
		minute := int(now.Sub(at(0)) / time.Minute)
		if minute == 40 {
			books[at(40)] = 3
		}
		if minute == 50 {
			delete(books, at(40))
		}
		since, n := tally.Look(now, books)
		read += now.Sub(since)
		var want int64
		if minute <= 30 {
			want += 2 // for an hour after it was decided
		}
		if minute >= 40 && minute < 60 {
			want += 3 // until the whole hour is read anew, a quarter of an hour after the last time
		}
		if n != want {
			t.Errorf("at %s: %d unaccounted for, want %d", now.Format(time.TimeOnly), n, want)
		}
	}
	if most := 30 * time.Hour; read > most {
		t.Errorf("in two hours, %s of books were read: more than %s", read, most)
	}
}

func TestAFaultOfAMomentAgoIsForgottenOnceItIsMended(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 21, 12, 0, 10, 0, time.UTC)
	var tally app.Tally
	for _, c := range []struct{ missing, want int64 }{{0, 0}, {4, 4}, {1, 1}, {0, 0}} {
		books := map[time.Time]int64{}
		if c.missing > 0 {
			books[now.Truncate(time.Minute)] = c.missing
		}
		now = now.Add(10 * time.Second)
		if _, n := tally.Look(now, books); n != c.want {
			t.Errorf("%d unaccounted for, want %d", n, c.want)
		}
	}
}
