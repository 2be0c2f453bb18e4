package behaviour_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/redis/go-redis/v9"

	"rappel/jobs"
)

func TestAnEventNobodyCanReadHoldsNothingUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
	unknown := w.event(row{"kind": "appointment.eaten", "appointment_id": visit})
	empty := w.event(row{"kind": "", "appointment_id": visit})
	endless := w.insert("events", row{"kind": rand.Text() + strings.Repeat(rand.Text(), 1000), "appointment_id": visit})
	rules := w.event(row{"kind": "appointment.reminder", "appointment_id": visit})
	nothing := w.event(row{"kind": "appointment.booked"})
	nobody := w.event(row{"kind": "portal.invited"})
	w.tell("appointment.booked", visit)
	w.expect("sms +12015550101: is booked")
	w.expectAnswer(unknown, "skipped", "unknown kind")
	w.expectAnswer(empty, "skipped", "unknown kind")
	w.expectAnswer(endless, "skipped", "unknown kind")
	w.expectAnswer(rules, "skipped", "made by rules")
	w.expectAnswer(nothing, "skipped", "appointment_id is missing")
	w.expectAnswer(nobody, "skipped", "client_id is missing")
}

func TestAnEventAtATimeThatThereIsNotIsToldLikeOneOfNow(t *testing.T) {
	t.Parallel()
	for _, at := range []pgtype.InfinityModifier{pgtype.Infinity, pgtype.NegativeInfinity} {
		t.Run(at.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, monday)
			visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
			w.event(row{"kind": "appointment.booked", "appointment_id": visit, "occurred_at": pgtype.Timestamptz{InfinityModifier: at, Valid: true}})
			w.expect("sms +12015550101: is booked")
			w.explain(visit)
		})
	}
}

func TestAMalformedTaskHoldsNothingUpAndIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	once := asynq.Retention(time.Hour)
	for _, payload := range []string{"", "{", `"Ann Lee"`, `{"event_id":"Ann"}`, `{"event_id":"` + newID() + `","kind":"","appointment_id":"` + newID() + `"}`} {
		w.enqueue(asynq.NewTask(jobs.TypeEvent, []byte(payload)), asynq.Queue(jobs.QueueEvents), once)
	}
	for _, payload := range []string{"", `{"ids":[]}`, `{"ids":["Ann"]}`, `{"ids":"Ann"}`} {
		w.enqueue(asynq.NewTask(jobs.TypeDeliver, []byte(payload)), asynq.Queue(jobs.QueueSMS), once)
	}
	w.enqueue(asynq.NewTask(jobs.TypeSweep, []byte(`{"at":"Ann"}`)), asynq.Queue(jobs.QueueSweeps), once)
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expect("sms +12015550101: is booked")
	for queue, want := range map[string]int{jobs.QueueEvents: 5, jobs.QueueSMS: 4, jobs.QueueSweeps: 1} {
		info, err := w.tasks.GetQueueInfo(queue)
		if err != nil {
			t.Fatal(err)
		}
		if info.Archived != want || info.Retry != 0 {
			t.Errorf("%s: %d tasks are archived and %d wait for a retry, of %d", queue, info.Archived, info.Retry, want)
		}
	}
}

func TestATaskForWhatIsNotThereHoldsNothingUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expect("sms +12015550101: is booked")
	for _, queue := range []string{jobs.QueueSMS, jobs.QueueEmail} { // not there, sent before, and on the wrong queue
		w.deliver(queue, newID(), newID())
	}
	w.expect()
	w.book(w.client("Bob", row{"phone": "+12015550102"}), thursday)
	w.expect("sms +12015550102: is booked")
}

func TestAMessageOnTheWrongQueueGoesByItsOwnChannelOrWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 503})
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.settle()
	w.clock.set(w.clock.Now().Add(time.Minute))
	w.deliver(jobs.QueueEmail)
	w.expect("sms +12015550101: is booked")
}

func TestEmptyingRedisLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	w.appointment(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T06:00:00-05:00", nil)
	w.inbox.answers(answer{status: 503})
	w.book(w.client("Bob", row{"phone": "+12015550102"}), thursday)
	w.settle()
	w.clock.set(instant(t, "2026-12-09T06:00:00-05:00"))
	w.sweep()
	w.emptyRedis()
	w.wait(0)
	w.expect("sms +12015550102: is booked")
	w.at("2026-12-09T08:00:00-05:00")
	w.expect("sms +12015550101: Reminder")
}

func TestTheReconcilersTickFindsWhatIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 503})
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.settle()
	w.emptyRedis()
	w.exec(`UPDATE rappel.notifications SET offered_at = now() - interval '1 minute'`)
	w.clock.set(w.clock.Now().Add(time.Minute))
	w.enqueue(jobs.NewReconcile())
	w.expect("sms +12015550101: is booked")
}

func TestTwoWorkersTellEverythingOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	second := w.startWorker()
	w.rule(row{"offset_minutes": -24 * hour})
	var booked, reminded []string
	for i := range 30 {
		phone := fmt.Sprintf("+120155501%02d", i)
		w.book(w.client("Ann", row{"phone": phone}), thursday)
		booked, reminded = append(booked, "sms "+phone+": is booked"), append(reminded, "sms "+phone+": Reminder")
	}
	w.expect(booked...)
	w.clock.set(instant(t, "2026-12-09T15:00:00-05:00"))
	swept := make(chan error, 1)
	go func() {
		_, err := second.Sweep(context.WithoutCancel(t.Context()), time.Time{})
		swept <- err
	}()
	w.sweep()
	if err := <-swept; err != nil {
		t.Error(err)
	}
	w.expect(reminded...)
}

func TestCopiesOfATaskSendOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.startWorker()
	w.inbox.answers(answer{status: 503})
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.settle()
	w.clock.set(w.clock.Now().Add(time.Minute))
	for range 20 {
		w.deliver(jobs.QueueSMS)
	}
	w.expect("sms +12015550101: is booked")
}

func TestACopyOfATaskLeavesAMessageOnItsWayAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	letGo := make(chan struct{})
	w.inbox.answers(answer{status: 202, after: letGo})
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.until("it is on its way", func(context.Context) bool { return len(w.inbox.tried()) == 1 })
	w.deliver(jobs.QueueSMS)
	w.until("the copy is done with", func(context.Context) bool { return w.queued() == 0 }) // what went straight has no task
	close(letGo)
	w.expect("sms +12015550101: is booked")
}

func TestATaskThatComesTooEarlyFindsNothingToDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.inbox.answers(answer{status: 429, retryAfter: "60"})
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.settle()
	w.deliver(jobs.QueueSMS)
	w.expect()
	w.pass(time.Minute)
	w.expect("sms +12015550101: is booked")
}

func TestASlowMessageHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	letGo := make(chan struct{})
	w.inbox.answers(answer{status: 202, after: letGo})
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.until("it is on its way", func(context.Context) bool { return len(w.inbox.tried()) == 1 })
	w.book(w.client("Bob", row{"phone": "+12015550102"}), thursday)
	w.book(w.client("Cat", row{"email": "cat@example.com", "preferred_method": "email"}), thursday)
	w.until("the others are told", func(ctx context.Context) bool {
		ledger := w.ledger(ctx)
		return slices.Contains(ledger, "appointment.booked to Bob by sms: sent") &&
			slices.Contains(ledger, "appointment.booked to Cat by email: sent")
	})
	close(letGo)
	w.expect("sms +12015550101: is booked", "sms +12015550102: is booked", "email cat@example.com: is booked")
}

func TestHundredsOfBookingsAtOnceAreAllTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.appointment(ann, thursday, nil)
	w.exec(`WITH copies AS (
		INSERT INTO rappel.appointments (id, practice_id, client_id, starts_at, ends_at, booked_at, updated_at)
		SELECT gen_random_uuid(), practice_id, client_id, starts_at, ends_at, booked_at, updated_at
		FROM rappel.appointments, generate_series(1, 250) RETURNING id)
		INSERT INTO rappel.events (kind, appointment_id) SELECT 'appointment.booked', id FROM copies`)
	w.expect(slices.Repeat([]string{"sms +12015550101: is booked"}, 250)...)
}

func TestARowThatMakesNoSenseHoldsNothingUp(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(w *world, visit string){
		"a start at infinity": func(w *world, visit string) {
			w.update("appointments", visit, "starts_at = 'infinity'")
			w.tell("appointment.booked", visit)
		},
		"an end at infinity": func(w *world, visit string) {
			w.update("appointments", visit, "ends_at = 'infinity'")
		},
		"a booking before all time": func(w *world, visit string) {
			w.update("appointments", visit, "booked_at = '-infinity', updated_at = '-infinity', start_set_at = 'infinity'")
		},
		"an event at infinity": func(w *world, visit string) {
			w.event(row{"kind": "appointment.confirmed", "appointment_id": visit, "occurred_at": pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}})
		},
		"a rule of five million days": func(w *world, _ string) {
			w.rule(row{"offset_days": -5_000_000})
		},
		"a rule of all minutes there are": func(w *world, _ string) {
			w.rule(row{"offset_minutes": math.MinInt32})
		},
		"a rule with two offsets, one with none, one with an anchor nobody knows": func(w *world, _ string) {
			w.rule(row{"offset_minutes": -hour, "offset_days": -1})
			w.rule(nil)
			w.rule(row{"offset_minutes": -hour, "anchor": "lunch"})
			w.rule(row{"offset_minutes": -hour, "kind": "lunch"})
		},
		"a client who is not there": func(w *world, visit string) {
			w.exec("UPDATE rappel.appointments SET client_id = $2 WHERE id = $1", visit, newID())
			w.tell("appointment.booked", visit)
		},
		"a practice that is not there": func(w *world, visit string) {
			w.exec("UPDATE rappel.appointments SET practice_id = $2 WHERE id = $1", visit, newID())
			w.tell("appointment.booked", visit)
		},
		"data that is no object": func(w *world, _ string) {
			w.event(row{"kind": "form.sent", "client_id": newID(), "data": `["Ann"]`})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, monday)
			w.reminds(24*hour, "in a day")
			spoil(w, w.appointment(w.client("Zed", nil), friday, nil))
			visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
			w.tell("appointment.booked", visit)
			w.expect("sms +12015550101: is booked")
			w.at("2026-12-09T15:00:00-05:00")
			w.expect("sms +12015550101: in a day")
		})
	}
}

func TestOnePracticesRowsAreNotTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	other := w.insert("practices", row{"name": "Oak Street Practice", "time_zone": "Europe/Berlin"})
	w.text("appointment.booked", "Elm says booked.")
	w.template(row{"practice_id": other, "name": "appointment.reminder", "body": "Oak reminds."})
	w.rule(row{"practice_id": other, "offset_minutes": -25 * hour})
	ours := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil)
	theirs := w.appointment(w.client("Bob", row{"phone": "+12015550102", "practice_id": other}), thursday, row{"practice_id": other})
	w.exec(`INSERT INTO rappel.events (kind, appointment_id) VALUES ('appointment.booked', $1), ('appointment.booked', $2)`, ours, theirs)
	w.expect("sms +12015550101: Elm says booked.", "sms +12015550102: Oak Street Practice on Thursday, December 10, 2026 at 9:00 PM")
	w.at("2026-12-09T14:00:00-05:00")
	w.expect("sms +12015550102: Oak reminds.")
}

func TestRedisHoldsNoNameNoAddressAndNoText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	told := w.watchRedis()
	w.rule(row{"offset_minutes": -24 * hour})
	ann := w.client("Ann", row{"phone": "+12015550101", "email": "ann@example.com", "preferred_method": "both"})
	visit := w.appointment(ann, thursday, nil)
	if _, err := w.mainApp().Report(t.Context(), jobs.Booked, visit, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	w.inbox.answers(answer{status: 503}, answer{status: 422, body: `{"detail":"Ann"}`})
	w.settle()
	w.at("2026-12-09T15:00:00-05:00")
	w.settle()
	w.inbox.take()
	all := told()
	if !strings.Contains(all, jobs.TypeEvent) || !strings.Contains(all, jobs.TypeDeliver) {
		t.Error("the test does not see what Redis is told")
	}
	for command := range strings.Lines(all) {
		if personal(command, []string{"Ann", "Lee", "Elm Street", "Therapy", "Reminder"}) {
			t.Errorf("Redis was told: %s", command)
		}
	}
}

// watchRedis begins to note each command that Redis is told, by whomever. What
// it returns ends that, and gives the commands, a line each.
func (w *world) watchRedis() (told func() string) {
	w.t.Helper()
	opt, ok := w.redis.(asynq.RedisClientOpt)
	if !ok {
		w.t.Fatal("not a Redis of one server")
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(w.t.Context(), opt.Network, opt.Addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, "MONITOR\r\n"); err != nil {
		w.t.Fatal(err)
	}
	commands := make(chan string, 1)
	go func() {
		all, _ := io.ReadAll(conn) // until it is closed
		commands <- string(all)
	}()
	return func() string {
		_ = conn.Close()
		return <-commands
	}
}

// emptyRedis takes away all that was on the queue.
func (w *world) emptyRedis() {
	w.t.Helper()
	if err := w.redisClient().FlushAll(w.t.Context()).Err(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) redisClient() *redis.Client {
	w.t.Helper()
	c, ok := w.redis.MakeRedisClient().(*redis.Client)
	if !ok {
		w.t.Fatal("not a Redis of one server")
	}
	w.t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestRulesThatCannotBeDecidedHoldUpNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(24*hour, "a day")
	for range 7 {
		w.longBooked(w.client("Broken", nil), "2026-12-10T15:00:00-05:00")
	}
	w.longBooked(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T15:00:00-05:00")
	w.exec(`ALTER TABLE rappel.clients RENAME TO people`)
	w.exec(`CREATE VIEW rappel.clients AS SELECT id, practice_id, CASE first_name WHEN 'Broken' THEN (1 / (length(first_name) - 6))::text ELSE first_name END AS first_name,
		last_name, preferred_name, email, phone, preferred_method, time_zone, locale, receives_reminders, receives_confirmations,
		receives_scheduled, do_not_contact, archived_at FROM rappel.people`)
	w.clock.set(instant(t, "2026-12-09T15:00:00-05:00"))
	if _, err := w.app.Sweep(t.Context(), time.Time{}); err == nil || !strings.Contains(err.Error(), "7 rules could not be decided") {
		t.Errorf("the sweep said: %v", err)
	}
	w.expect("sms +12015550101: a day")
}

func TestARuleSavedAtNoTimeHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour, "updated_at": "-infinity", "template": "appointment.booked"})
	w.longBooked(w.client("Ann", row{"phone": "+12015550101"}), "2026-12-10T15:00:00-05:00")
	w.at("2026-12-09T15:00:00-05:00")
	w.expect("sms +12015550101: booked")
}
