package queue

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"rappel/recipients"
)

// Rates limits how many messages of one practice leave a second on one channel,
// over all processes that share a Redis.
type Rates struct {
	limiter *redis_rate.Limiter
	limit   redis_rate.Limit
	log     *slog.Logger
}

// NewRates returns a limit of so many messages a second.
func NewRates(r redis.UniversalClient, perSecond int, log *slog.Logger) *Rates {
	return &Rates{limiter: redis_rate.NewLimiter(r), limit: redis_rate.PerSecond(perSecond), log: log}
}

// Allow returns how many of n messages of a practice may leave now, and, where
// these are not all, when to ask again. While Redis is away all may: a late
// reminder is worse than a quick one.
func (r *Rates) Allow(ctx context.Context, c recipients.Channel, practice string, n int) (allowed int, wait time.Duration) {
	result, err := r.limiter.AllowAtMost(ctx, "rappel:"+string(c)+":"+practice, r.limit, n)
	if err != nil {
		r.log.WarnContext(ctx, "messages leave without a limit: Redis does not answer", "error", err)
		return n, 0
	}
	if result.Allowed < n {
		wait = max(result.RetryAfter, time.Second/time.Duration(r.limit.Rate))
	}
	return result.Allowed, wait
}
