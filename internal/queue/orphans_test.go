package queue_test

import (
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"rappel/internal/queue"
	"rappel/jobs"
)

// The names of asynq's keys are in these tests as well: they fail when asynq
// changes them.
func TestWhatRedisLostAPartOfIsAnOrphan(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		lose func(t *testing.T, r redis.UniversalClient)
		want int
	}{
		"nothing is lost": {func(*testing.T, redis.UniversalClient) {}, 0},
		"a task that waits": {func(t *testing.T, r redis.UniversalClient) {
			t.Helper()
			remove(t, r, "asynq:{sms}:t:waits")
		}, 1},
		"one for later": {func(t *testing.T, r redis.UniversalClient) {
			t.Helper()
			remove(t, r, "asynq:{sms}:t:later")
		}, 1},
		"both": {func(t *testing.T, r redis.UniversalClient) {
			t.Helper()
			remove(t, r, "asynq:{sms}:t:later", "asynq:{sms}:t:waits")
		}, 2},
		"a task in hand without a lease": {func(t *testing.T, r redis.UniversalClient) {
			t.Helper()
			if err := r.LMove(t.Context(), "asynq:{sms}:pending", "asynq:{sms}:active", "right", "left").Err(); err != nil {
				t.Fatal(err)
			}
		}, 1},
		"the lease of a task that is gone": {func(t *testing.T, r redis.UniversalClient) {
			t.Helper()
			if err := r.ZAdd(t.Context(), "asynq:{sms}:lease", redis.Z{Score: 1, Member: "gone"}).Err(); err != nil {
				t.Fatal(err)
			}
		}, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := connect(t)
			put(t, r, asynq.NewTask("a:b", nil, asynq.TaskID("waits"), asynq.Queue("sms")))
			put(t, r, asynq.NewTask("a:b", nil, asynq.TaskID("later"), asynq.Queue("sms"), asynq.ProcessIn(time.Hour)))
			c.lose(t, r)
			got, err := queue.Orphans(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if got["sms"] != c.want {
				t.Errorf("%d orphans, want %d", got["sms"], c.want)
			}
			if diff := cmp.Diff(slices.Sorted(slices.Values(jobs.Queues())), slices.Sorted(maps.Keys(got))); diff != "" {
				t.Errorf("queues (-want +got):\n%s", diff)
			}
		})
	}
}

func remove(t *testing.T, r redis.UniversalClient, keys ...string) {
	t.Helper()
	if n, err := r.Del(t.Context(), keys...).Result(); int(n) != len(keys) || err != nil {
		t.Fatalf("removed %d of %v: %v", n, keys, err)
	}
}

func TestAPracticesRateIsHeldAndTheOthersDoNotFeelIt(t *testing.T) {
	t.Parallel()
	rates := queue.NewRates(connect(t), 5, slog.New(slog.DiscardHandler))
	allow := func(practice string, n int) int {
		allowed, wait := rates.Allow(t.Context(), "sms", practice, n)
		if (allowed < n) != (wait > 0) {
			t.Errorf("%d of %d, and wait for %s", allowed, n, wait)
		}
		return allowed
	}
	began := time.Now()
	if got := allow("a", 8); got != 5 {
		t.Errorf("%d of a's leave in a second", got)
	}
	got := allow("a", 8)
	// Another one may leave each fifth of a second, and Redis's clock is its own.
	if took := time.Since(began); got > 1+int(took/(time.Second/5)) {
		t.Errorf("%d more of a's leave within %s", got, took)
	}
	if got := allow("b", 3); got != 3 {
		t.Errorf("%d of b's leave", got)
	}
}

func TestWithoutRedisThereIsNoLimit(t *testing.T) {
	t.Parallel()
	away := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer away.Close()
	if got, wait := queue.NewRates(away, 1, slog.New(slog.DiscardHandler)).Allow(t.Context(), "sms", "a", 7); got != 7 || wait != 0 {
		t.Errorf("%d leave, wait %s", got, wait)
	}
}
