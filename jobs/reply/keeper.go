package reply

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// A Store keeps replies.
type Store interface {
	// KeepReply has a message understood on what its number was sent since
	// then, the newest first, and keeps the reply and whom it binds in the same
	// transaction. Of a message that it knows it changes nothing and returns
	// false. Messages of one number are kept one after the other.
	KeepReply(ctx context.Context, in Inbound, since time.Time, understand func(Inbound, []Sent) Reply) (Reply, bool, error)
}

// A Keeper takes replies as carriers tell of them.
type Keeper struct {
	Store Store
	Now   func() time.Time
	Log   *slog.Logger
	// Observe is told of each reply that is new; it may be nil.
	Observe func(Reply)
}

// Receive keeps a reply. When it returns nil the reply is safe, and whoever
// wants to hear no more hears no more; told twice, it is kept once.
func (k *Keeper) Receive(ctx context.Context, in Inbound) error {
	in.ReceivedAt = k.Now()
	r, fresh, err := k.Store.KeepReply(ctx, in, in.ReceivedAt.Add(-Window), Understand)
	if err != nil {
		k.Log.ErrorContext(ctx, "a reply could not be kept: its carrier is told so", "carrier_id", in.CarrierID, "error", err)
		return fmt.Errorf("keep a reply: %w", err)
	}
	if !fresh {
		k.Log.InfoContext(ctx, "a reply was told of again", "carrier_id", in.CarrierID)
		return nil
	}
	k.Log.InfoContext(ctx, "reply", "reply", r.ID, "meaning", r.Meaning, "practice", r.PracticeID,
		"notification", r.NotificationID, "appointments", r.AppointmentIDs)
	if k.Observe != nil {
		k.Observe(r)
	}
	return nil
}
