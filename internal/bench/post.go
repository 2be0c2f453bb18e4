package bench

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
)

// runPost posts as many messages as there are events, with neither a database
// nor a queue behind it.
func runPost(ctx context.Context, o PartOptions, start func() bool) error {
	p, of := newPoster(o), uuid.NewString()
	model := sms{PracticeID: of, ClientID: of, AppointmentID: of, Kind: bookedKind, To: "+12015550100", Body: strings.Repeat("as long as a text ", 16)}
	if !start() {
		return nil
	}
	var (
		sent    atomic.Int64
		senders sync.WaitGroup
		failed  = make(chan error, o.InFlight)
	)
	for range o.InFlight {
		senders.Go(func() {
			for sent.Add(1) <= int64(o.Events) {
				m := model
				m.NotificationID = uuid.NewString()
				if _, err := p.post(ctx, m); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	senders.Wait()
	select {
	case err := <-failed:
		return err
	default:
	}
	<-ctx.Done()
	return nil
}
