package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"rappel/internal/lookup"
	"rappel/internal/postgres"
	"rappel/internal/practice"
	"rappel/jobs/deliver"
	"rappel/jobs/plan"
	"rappel/jobs/retain"
	"rappel/recipients"
	"rappel/templates"
)

// A grownLedger is one that work is done on.
type grownLedger struct {
	Ledger

	url   string
	store *postgres.Store // while work is done
	some  someone
	made  [][]plan.Decision
	taken []deliver.Claim
}

// someone is whom to look for: a message of the last day.
type someone struct {
	client, appointment string
	address             recipients.Address
}

// pick finds someone.
func (l *grownLedger) pick(ctx context.Context) error {
	var address string
	err := within(ctx, l.url, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `
			SELECT client_id, appointment_id, address FROM growth.messages(growth.rows() - growth.day(), growth.rows()) m
			JOIN rappel.notifications USING (id, client_id, appointment_id)
			WHERE m.channel = 'sms' AND sent_at IS NOT NULL LIMIT 1`).Scan(&l.some.client, &l.some.appointment, &address)
	})
	if err == nil {
		l.some.address, err = recipients.ParsePhone(address, "")
	}
	return err
}

// A ledgerWork is one kind of work on a ledger.
type ledgerWork struct {
	what string
	do   func(context.Context, *grownLedger) error
}

const (
	atATime       = 100  // messages in one claim, and events in one plan
	lookedAt      = 11   // times, after one that does not count
	waitingEvents = 4000 // enough to plan, and for a backlog
)

// ledgerWorks are done one after the other, each as often as lookedAt says:
// first what only reads.
func ledgerWorks() []ledgerWork {
	all := []ledgerWork{
		{"account of the last hour", account(time.Hour)},
		{"account of the last day", account(24 * time.Hour)},
		{"rappel_unaccounted, each 15 s", func(ctx context.Context, l *grownLedger) error {
			_, err := l.store.Unaccounted(ctx, l.Now.Add(-2*time.Minute))
			return err
		}},
	}
	all = append(all, pageWorks()...)
	all = append(all,
		ledgerWork{fmt.Sprintf("plan %d events", atATime), planSome},
		ledgerWork{fmt.Sprintf("claim %d messages", atATime), claimSome},
		ledgerWork{fmt.Sprintf("record %d outcomes", atATime), recordSome},
		ledgerWork{"plan, where no event waits", planRest},
		ledgerWork{"reconcile, nothing forgotten in a backlog", reconcile(time.Hour, 0)},
		ledgerWork{fmt.Sprintf("reconcile, %d forgotten", atATime), reconcile(0, atATime)},
		ledgerWork{"the oldest that is due", func(ctx context.Context, l *grownLedger) error {
			_, err := l.store.OldestDue(ctx, recipients.SMS, time.Now())
			return err
		}},
	)
	all = append(all, retentionWorks()...)
	return append(all, ledgerWork{"forget a person (taken back)", func(ctx context.Context, l *grownLedger) error {
		_, err := l.store.Forget(ctx, postgres.Person{ClientID: l.some.client}, true)
		return err
	}})
}

func account(of time.Duration) func(context.Context, *grownLedger) error {
	return func(ctx context.Context, l *grownLedger) error {
		days, err := l.store.Account(ctx, postgres.Span{From: l.Now.Add(-of), To: l.Now})
		var total postgres.Counts
		for _, d := range days {
			total = total.Plus(d.Counts)
		}
		if err == nil && (total.Planned == 0 || total.Unaccounted > 0) {
			err = fmt.Errorf("%d planned, %d unaccounted for", total.Planned, total.Unaccounted)
		}
		return err
	}
}

func pageWorks() []ledgerWork {
	search := func(query func(*grownLedger) lookup.Search) func(context.Context, *grownLedger) error {
		return func(ctx context.Context, l *grownLedger) error {
			q := query(l)
			q.AtMost = 50
			found, err := l.store.Search(ctx, q)
			if err == nil && len(found) == 0 {
				err = errors.New("nothing is found")
			}
			return err
		}
	}
	const day = 24 * time.Hour
	return []ledgerWork{
		{"page: a day's messages by status", func(ctx context.Context, l *grownLedger) error {
			_, err := l.store.Tally(ctx, l.Now.Add(-day), l.Now)
			return err
		}},
		{"page: what is due by hours", func(ctx context.Context, l *grownLedger) error {
			_, err := l.store.DueByHour(ctx, l.Now, l.Now.Truncate(time.Hour), l.Now.Add(day))
			return err
		}},
		{"page: the messages of a client", search(func(l *grownLedger) lookup.Search { return lookup.Search{ID: l.some.client} })},
		{"page: the messages to an address", search(func(l *grownLedger) lookup.Search {
			return lookup.Search{To: []recipients.Address{l.some.address}}
		})},
		{"page: what failed in a day", search(func(l *grownLedger) lookup.Search {
			return lookup.Search{From: l.Now.Add(-day), Until: l.Now, Status: string(deliver.Failed)}
		})},
		{"page: the story of an appointment", func(ctx context.Context, l *grownLedger) error {
			_, err := l.store.History(ctx, l.some.appointment)
			return err
		}},
		{"replay: what failed in a day", func(ctx context.Context, l *grownLedger) error {
			_, err := l.store.Ended(ctx, deliver.Selection{From: l.Now.Add(-day), To: l.Now, Status: deliver.Failed})
			return err
		}},
	}
}

func planSome(ctx context.Context, l *grownLedger) error {
	_, made, err := l.store.PlanEvents(ctx, atATime, decide)
	if err == nil && len(made) != atATime {
		err = fmt.Errorf("%d are decided", len(made))
	}
	l.made = append(l.made, made)
	return err
}

// planRest plans until no event waits.
func planRest(ctx context.Context, l *grownLedger) error {
	for taken := atATime; taken == atATime; {
		var err error
		if taken, _, err = l.store.PlanEvents(ctx, atATime, decide); err != nil {
			return err
		}
	}
	return nil
}

// decide answers an event as the planner does.
func decide(e plan.Event, s *practice.Snapshot) (plan.Decision, bool) {
	d, ok := plan.DecideEvent(e, s, time.Now())
	d.ID = uuid.Must(uuid.NewV7()).String()
	for i := range d.Notifications {
		d.Notifications[i].ID = uuid.Must(uuid.NewV7()).String()
	}
	return d, ok
}

func claimSome(ctx context.Context, l *grownLedger) error {
	var ids []string
	for _, d := range l.made[len(l.taken)] {
		for _, n := range d.Notifications {
			ids = append(ids, n.ID)
		}
	}
	claim, err := l.store.Claim(ctx, ids, deliver.Terms{Now: time.Now(), Lease: time.Hour, Via: deliver.ByAdmin}, sendIt)
	if err == nil && len(claim.Messages) != atATime {
		err = fmt.Errorf("%d are claimed", len(claim.Messages))
	}
	l.taken = append(l.taken, claim)
	return err
}

// sendIt has everything sent, with the same words.
func sendIt(n deliver.Notification, _ *practice.Snapshot, _ []templates.Source) deliver.Ruling {
	return deliver.Ruling{Send: &deliver.Message{
		NotificationID: n.ID, PracticeID: n.PracticeID, ClientID: n.ClientID, AppointmentID: n.AppointmentID, Kind: n.Kind, Channel: n.Channel,
		To: n.Address, Text: deliver.Text{Body: "Your appointment is booked. See you on Thursday at ten.", Segments: 1},
	}}
}

func recordSome(ctx context.Context, l *grownLedger) error {
	claim := l.taken[0]
	l.taken = l.taken[1:]
	var outcomes []deliver.Outcome
	for _, m := range claim.Messages {
		outcomes = append(outcomes, deliver.Outcome{ID: m.Notification.ID, Status: deliver.Sent, MessageID: "m" + m.Notification.ID, At: time.Now()})
	}
	lost, err := l.store.Record(ctx, claim.ID, outcomes)
	if err == nil && lost > 0 {
		err = fmt.Errorf("%d are lost", lost)
	}
	return err
}

// reconcile looks for what was offered longer than some time ago, in a backlog
// of which nothing was.
func reconcile(after time.Duration, want int) func(context.Context, *grownLedger) error {
	return func(ctx context.Context, l *grownLedger) error {
		ids, err := l.store.Forgotten(ctx, recipients.SMS, time.Now(), after, atATime)
		if err == nil && len(ids) != want {
			err = fmt.Errorf("%d are forgotten, and not %d", len(ids), want)
		}
		return err
	}
}

// retentionWorks remove what the next nights would.
func retentionWorks() (all []ledgerWork) {
	const batch = 500
	for _, r := range []struct {
		trace  retain.Trace
		before func(*grownLedger) time.Time
	}{
		{retain.Addresses, func(l *grownLedger) time.Time { return l.day(l.Rows*3/4, 1) }},
		{retain.Events, func(l *grownLedger) time.Time { return l.day(l.Rows*3/4, 1) }},
		{retain.Decisions, func(l *grownLedger) time.Time { return l.day(0, 2) }},
	} {
		all = append(all, ledgerWork{fmt.Sprintf("retention, %d %s", batch, r.trace), func(ctx context.Context, l *grownLedger) error {
			removed, more, err := l.store.Retain(ctx, r.trace, r.before(l), batch)
			if err == nil && removed == 0 && !more {
				err = errors.New("there are none")
			}
			return err
		}})
	}
	return all
}

// day is when so many days after a message's were over.
func (l *grownLedger) day(first, days int) time.Time {
	left := l.Rows - first - days*l.Day
	return l.Now.Add(-24 * time.Hour * time.Duration(left) / time.Duration(l.Day))
}
