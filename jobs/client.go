package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"go.opentelemetry.io/otel/propagation"
)

// A Client reports events from a main app. It is safe for concurrent use.
type Client struct {
	queue *asynq.Client
}

// NewClient returns a client on the Redis that rappel uses. Close it when done.
func NewClient(redis asynq.RedisConnOpt) *Client {
	return &Client{queue: asynq.NewClient(redis)}
}

// Close closes the connection to Redis.
func (c *Client) Close() error { return c.queue.Close() }

// Report tells rappel that k happened to the appointment at occurredAt, and
// returns the event's id. After an error it is not known whether the event was
// taken; reporting it again with ReportEvent and one id is harmless.
func (c *Client) Report(ctx context.Context, k Kind, appointmentID string, occurredAt time.Time) (string, error) {
	e, err := NewEvent(k, appointmentID, occurredAt)
	if err != nil {
		return "", err
	}
	return e.ID, c.ReportEvent(ctx, e)
}

// ReportEvent tells rappel of e, and of the trace that ctx belongs to (W3C Trace
// Context), which the messages that follow keep to. It returns nil also where
// the queue holds this very event already.
func (c *Client) ReportEvent(ctx context.Context, e Event) error {
	trace := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, trace)
	t, err := e.task(trace)
	if err != nil {
		return err
	}
	_, err = c.queue.EnqueueContext(ctx, t)
	if err != nil && !errors.Is(err, asynq.ErrTaskIDConflict) {
		return fmt.Errorf("report event %s: %w", e.ID, err)
	}
	return nil
}
