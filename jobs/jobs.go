// Package jobs is what crosses the queue: the types of task, their payloads and
// queues, and the client by which a main app written in Go reports that
// something happened to an appointment.
//
// Payloads hold ids and instants only, never a name, an address or a text:
// Redis, its backups and the dashboard are open to more eyes than the database.
// A decoder refuses what it cannot read for good, since a malformed payload is
// not cured by trying again.
//
// The package deliberately does not know what the tasks do.
package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"rappel/internal/kind"
)

// Types of task. None is a prefix of another: asynq routes by prefix.
const (
	TypeEvent     = "appointment:event"
	TypeSweep     = "reminders:sweep"
	TypeDeliver   = "notifications:deliver"
	TypeReconcile = "maintenance:reconcile"
	TypeRetention = "maintenance:retention"
)

// Queues. A channel's queue bears the channel's name.
const (
	QueueEvents      = "events"
	QueueSweeps      = "sweeps"
	QueueSMS         = "sms"
	QueueEmail       = "email"
	QueueMaintenance = "maintenance"
)

// Queues returns all queues.
func Queues() []string {
	return []string{QueueEvents, QueueSweeps, QueueSMS, QueueEmail, QueueMaintenance}
}

// Kind is what happened to an appointment.
type Kind = kind.Kind

// The kinds of event that a main app reports about an appointment.
const (
	Booked         = kind.Booked
	Confirmed      = kind.Confirmed
	Rescheduled    = kind.Rescheduled
	Declined       = kind.Declined
	Cancelled      = kind.Cancelled
	Missed         = kind.Missed
	TelehealthLink = kind.TelehealthLink
)

// Limits of a payload.
const (
	MostIDs     = 1000 // notifications in one deliver task
	mostKind    = 100  // bytes of a kind
	lastYear    = 9000 // that is swept to: rules look beyond it, and JSON knows four digits
	timeout     = 2 * time.Minute
	mostRetries = 25
)

// An Event says that something happened to an appointment. A zero OccurredAt
// means when rappel took it.
type Event struct {
	ID            string    `json:"event_id"`
	Kind          Kind      `json:"kind"`
	AppointmentID string    `json:"appointment_id"`
	OccurredAt    time.Time `json:"occurred_at,omitzero"`
}

// NewEvent returns an event with an id of its own (a version 7 UUID), which
// makes it safe to report it again after an error: the same id is told once.
func NewEvent(k Kind, appointmentID string, occurredAt time.Time) (Event, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Event{}, fmt.Errorf("new event id: %w", err)
	}
	e := Event{ID: id.String(), Kind: k, AppointmentID: appointmentID, OccurredAt: occurredAt}
	if k.Sort() != kind.Event {
		return Event{}, fmt.Errorf("event kind %q is not one of an appointment's", k)
	}
	return e, e.Valid()
}

// Valid reports what is wrong with the event, without repeating any of it but
// its id.
func (e Event) Valid() error {
	switch {
	case !IsID(e.ID):
		return errors.New("event_id is not a UUID")
	case !IsID(e.AppointmentID):
		return errors.New("appointment_id is not a UUID")
	case e.Kind == "" || len(e.Kind) > mostKind || strings.ContainsRune(string(e.Kind), 0):
		return fmt.Errorf("event %s: kind is empty, too long or no text", e.ID)
	}
	return nil
}

// Task returns the task that reports the event. Its id is the event's, so that
// reporting it twice while it waits is refused by the queue already.
func (e Event) Task() (*asynq.Task, error) { return e.task(nil) }

func (e Event) task(headers map[string]string) (*asynq.Task, error) {
	if err := e.Valid(); err != nil {
		return nil, err
	}
	return newTask(TypeEvent, e, headers, asynq.Queue(QueueEvents), asynq.TaskID(e.ID))
}

// DecodeEvent reads what Task wrote. Any error tells asynq not to try again. A
// kind that nobody knows is let through: it ends as a decision that says so.
func DecodeEvent(t *asynq.Task) (Event, error) {
	e, err := decode[Event](t)
	if err != nil {
		return Event{}, err
	}
	if err := e.Valid(); err != nil {
		return Event{}, incurable(t, err)
	}
	return e, nil
}

// A Deliver names notifications of one channel that may be due.
type Deliver struct {
	IDs []string `json:"ids"`
}

// Task returns the deliver task for queue, QueueSMS or QueueEmail.
func (d Deliver) Task(queue string) (*asynq.Task, error) {
	if err := d.valid(); err != nil {
		return nil, err
	}
	return newTask(TypeDeliver, d, nil, asynq.Queue(queue))
}

func (d Deliver) valid() error {
	if len(d.IDs) == 0 || len(d.IDs) > MostIDs {
		return fmt.Errorf("%d ids where 1 to %d are due", len(d.IDs), MostIDs)
	}
	for i, id := range d.IDs {
		if !IsID(id) {
			return fmt.Errorf("ids[%d] is not a UUID", i)
		}
	}
	return nil
}

// DecodeDeliver reads what Task wrote. Any error tells asynq not to try again.
func DecodeDeliver(t *asynq.Task) (Deliver, error) {
	d, err := decode[Deliver](t)
	if err != nil {
		return Deliver{}, err
	}
	if err := d.valid(); err != nil {
		return Deliver{}, incurable(t, err)
	}
	return d, nil
}

// A Sweep asks for what is due up to At; zero means now.
type Sweep struct {
	At time.Time `json:"at,omitzero"`
}

// Valid reports whether such a time can be swept to.
func (s Sweep) Valid() error {
	if s.At.Year() > lastYear {
		return fmt.Errorf("at is after the year %d", lastYear)
	}
	return nil
}

// Task returns the sweep task.
func (s Sweep) Task() (*asynq.Task, error) {
	if err := s.Valid(); err != nil {
		return nil, err
	}
	return newTask(TypeSweep, s, nil, asynq.Queue(QueueSweeps))
}

// DecodeSweep reads what Task wrote; no payload at all means now. Any error
// tells asynq not to try again.
func DecodeSweep(t *asynq.Task) (Sweep, error) {
	if len(t.Payload()) == 0 {
		return Sweep{}, nil
	}
	s, err := decode[Sweep](t)
	if err == nil && s.Valid() != nil {
		return Sweep{}, incurable(t, s.Valid())
	}
	return s, err
}

// NewReconcile returns the task that puts forgotten notifications back on the
// queue.
func NewReconcile() *asynq.Task {
	return asynq.NewTask(TypeReconcile, []byte("{}"), options(asynq.Queue(QueueMaintenance))...)
}

// NewRetention returns the task that removes what is no longer needed of people.
func NewRetention() *asynq.Task {
	return asynq.NewTask(TypeRetention, []byte("{}"), options(asynq.Queue(QueueMaintenance))...)
}

func newTask(taskType string, payload any, headers map[string]string, opts ...asynq.Option) (*asynq.Task, error) {
	b, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", taskType, err)
	}
	return asynq.NewTaskWithHeaders(taskType, b, headers, options(opts...)...), nil
}

// options states what asynq would otherwise choose for three weeks of retries.
func options(more ...asynq.Option) []asynq.Option {
	return append([]asynq.Option{asynq.MaxRetry(mostRetries), asynq.Timeout(timeout)}, more...)
}

func decode[T any](t *asynq.Task) (T, error) {
	var payload T
	if err := json.Unmarshal(t.Payload(), &payload); err != nil {
		var zero T
		return zero, incurable(t, describe(err))
	}
	return payload, nil
}

// describe says what is wrong with a payload without repeating any of it: who
// puts the wrong thing into a task may put a name there.
func describe(err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("not JSON at byte %d", syntax.Offset)
	}
	if field, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("wrong type at byte %d", field.Offset)
	}
	return errors.New("an unreadable value")
}

func incurable(t *asynq.Task, err error) error {
	return fmt.Errorf("decode %s: %w: %w", t.Type(), err, asynq.SkipRetry)
}

// IsID accepts the canonical form of a UUID alone: braces would break the hash
// slots of a Redis Cluster.
func IsID(s string) bool {
	return len(s) == 36 && uuid.Validate(s) == nil
}
