package queue

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// LogTo has what every Redis client of this process says of itself go to log
// instead of, unformatted, to standard error. It is for main, before anything
// else: it changes a global of the library.
func LogTo(log *slog.Logger) { redis.SetLogger(&redisLog{log: log}) }

// sameAfter is when a line of one kind is said again. While Redis is away, every
// part of every server would say so each second.
const sameAfter = 10 * time.Second

// repeated keeps libraries from saying one thing again and again.
type repeated struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// mayBeSaid tells whether a line of this kind was not said for a while.
func (r *repeated) mayBeSaid(kind string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if now.Before(r.until[kind]) {
		return false
	}
	const most = 100 // some kinds name a task
	if r.until == nil || len(r.until) >= most {
		r.until = map[string]time.Time{}
	}
	r.until[kind] = now.Add(sameAfter)
	return true
}

// redisLog hands the lines of go-redis on, one of each format.
type redisLog struct {
	log  *slog.Logger
	said repeated
}

func (l *redisLog) Printf(ctx context.Context, format string, v ...any) {
	if l.said.mayBeSaid(format) {
		l.log.WarnContext(ctx, "redis", "said", fmt.Sprintf(format, v...))
	}
}

// asynqLog hands asynq's lines on, one of each that begin alike: what follows the
// first colon is the error.
type asynqLog struct {
	log  *slog.Logger
	said *repeated
}

func newAsynqLog(log *slog.Logger) asynqLog { return asynqLog{log: log, said: &repeated{}} }

func (l asynqLog) say(level slog.Level, args ...any) {
	said := fmt.Sprint(args...)
	if kind, _, _ := strings.Cut(said, ":"); l.said.mayBeSaid(kind) {
		l.log.Log(context.Background(), level, "asynq", "said", said)
	}
}

func (l asynqLog) Debug(args ...any) { l.say(slog.LevelDebug, args...) }
func (l asynqLog) Info(args ...any)  { l.say(slog.LevelInfo, args...) }
func (l asynqLog) Warn(args ...any)  { l.say(slog.LevelWarn, args...) }
func (l asynqLog) Error(args ...any) { l.say(slog.LevelError, args...) }

// Fatal is for what asynq thinks it cannot go on from; the process decides.
func (l asynqLog) Fatal(args ...any) { l.say(slog.LevelError, "it gave up: ", fmt.Sprint(args...)) }
