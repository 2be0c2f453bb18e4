package behaviour_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"rappel/internal/admin"
	"rappel/internal/dev"
	"rappel/internal/postgres"
	"rappel/internal/testenv"
	"rappel/internal/twilio"
	"rappel/jobs/deliver"
	"rappel/jobs/reply"
)

const (
	twilioToken = "12345678901234567890123456789012"
	inboundURL  = "https://rappel.example.com/webhooks/twilio/inbound"
)

// An answering is the way of what people answer, without the rest of rappel:
// Twilio's webhook, a database, and a main app that may be away.
type answering struct {
	world

	webhook http.Handler
	poster  *reply.Poster
	main    *dev.MainApp
	away    atomic.Int32 // the status that the main app answers with; 0: it is there
	sids    int
}

func newAnswering(t *testing.T) *answering {
	t.Helper()
	db, err := pgxpool.New(t.Context(), testenv.Database(t, migrate))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	store, err := postgres.Open(t.Context(), db.Config().ConnString(), 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	a := &answering{
		world: world{t: t, db: db, clock: &clock{now: instant(t, monday)}, log: &log{t: t}, names: map[string]string{}},
		main:  dev.NewMainApp(dev.MainAppOptions{Token: token}),
	}
	a.main.Script(dev.Hooks{Before: func(w http.ResponseWriter, _ *http.Request) bool {
		status := int(a.away.Load())
		if status != 0 {
			w.WriteHeader(status)
		}
		return status != 0
	}})
	server := httptest.NewServer(a.main.Handler())
	t.Cleanup(server.Close)
	out, err := admin.New(admin.Options{URL: server.URL + dev.AdminPath, Token: token, Version: "test", Now: a.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	lines := slog.New(slog.NewTextHandler(a.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	keeper := &reply.Keeper{Store: store, Now: a.clock.Now, Log: lines}
	a.webhook = twilio.InboundHandler(twilio.Webhook{AuthToken: twilioToken, PublicURL: inboundURL}, keeper.Receive)
	a.poster = &reply.Poster{Outbox: store, MainApp: out, Limits: deliver.LimitsWithin(10 * time.Second), Now: a.clock.Now, Log: lines}
	t.Cleanup(func() { a.log.namesNobody([]string{"Ben", "Ada", "late", "Hello", mother, father}) })
	a.practice = a.insert("practices", row{"name": "Elm Street Practice", "time_zone": "America/New_York"})
	return a
}

// remind has a reminder of a child's visit tomorrow go to the mother.
func (a *answering) remind(child string) (visit string) {
	a.t.Helper()
	starts := a.clock.Now().AddDate(0, 0, 1)
	client := a.insert("clients", row{"practice_id": a.practice, "first_name": child, "preferred_method": "sms"})
	visit = a.insert("appointments", row{
		"practice_id": a.practice, "client_id": client, "starts_at": starts, "ends_at": starts.Add(time.Hour),
		"status": "scheduled", "booked_at": a.clock.Now(), "updated_at": a.clock.Now(),
	})
	decision := a.insert("decisions", row{"kind": "appointment.reminder", "decided_at": a.clock.Now(), "outcome": "notify"})
	a.insert("notifications", row{
		"decision_id": decision, "practice_id": a.practice, "client_id": client, "appointment_id": visit, "kind": "appointment.reminder",
		"channel": "sms", "address": mother, "template": "appointment.reminder", "starts_at": starts, "status": "delivered",
		"not_before": a.clock.Now(), "sent_at": a.clock.Now(),
	})
	return visit
}

// write has somebody write to us, as Twilio tells of it.
func (a *answering) write(from, text string) {
	a.t.Helper()
	a.sids++
	a.clock.set(a.clock.Now().Add(time.Second))
	a.told(fmt.Sprintf("SM%032x", a.sids), from, text)
}

// told is one request of Twilio's.
func (a *answering) told(sid, from, text string) {
	a.t.Helper()
	form := url.Values{"MessageSid": {sid}, "From": {from}, "To": {"+12015550100"}, "Body": {text}}
	signed := inboundURL
	for _, name := range slices.Sorted(maps.Keys(form)) {
		signed += name + form.Get(name)
	}
	mac := hmac.New(sha1.New, []byte(twilioToken))
	mac.Write([]byte(signed))
	r := httptest.NewRequestWithContext(a.t.Context(), http.MethodPost, inboundURL, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set(twilio.SignatureHeader, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	w := httptest.NewRecorder()
	a.webhook.ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Body.String() != "<Response/>" {
		a.t.Errorf("Twilio was answered %d %s", w.Code, w.Body)
	}
}

// post passes on what is due.
func (a *answering) post() {
	a.t.Helper()
	if err := a.poster.Post(a.t.Context()); err != nil && !strings.Contains(err.Error(), "does not know us") {
		a.t.Error(err)
	}
}

// expectReplies compares what the main app has: who, what, taken for what,
// about which visits.
func (a *answering) expectReplies(want ...string) {
	a.t.Helper()
	var got []string
	for _, r := range a.main.Replies() {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s: %s %s", r.From, r.Text, r.Meaning, strings.Join(r.AppointmentIDs, " "))))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		a.t.Errorf("(-want +got):\n%s", diff)
	}
	for _, trouble := range a.main.Troubles() {
		a.t.Error(trouble.Text)
	}
}

const (
	mother = "+12015550101"
	father = "+12015550102"
)

func TestAMothersAnswerIsNeverGuessed(t *testing.T) {
	t.Parallel()
	a := newAnswering(t)
	ben := a.remind("Ben")
	a.clock.set(a.clock.Now().Add(time.Minute))
	ada := a.remind("Ada")
	a.write(mother, "C")
	a.write(mother, "We may be late")
	a.post()
	a.exec(`UPDATE rappel.appointments SET status = 'cancelled' WHERE id = $1`, ada)
	a.write(mother, "Confirm!")
	a.post()
	a.clock.set(a.clock.Now().Add(25 * time.Hour))
	a.write(mother, "1")
	a.post()
	a.write(father, "1")
	a.post()
	a.expectReplies(
		mother+" C: other "+ada+" "+ben, mother+" We may be late: other "+ada+" "+ben,
		mother+" Confirm!: confirm "+ben, mother+" 1: other "+ada, father+" 1: other",
	)
	if got := a.value(`SELECT count(*)::text FROM rappel.replies WHERE body IS NULL AND outcome = 'posted'`); got != "5" {
		t.Errorf("%s replies have lost their words", got)
	}
}

func TestAMainAppThatIsAwayHoldsUpNoWebhookAndLosesNoReply(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusMovedPermanently} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			a := newAnswering(t)
			visit := a.remind("Ben")
			a.away.Store(int32(status))
			for _, text := range []string{"STOP", "START", "C"} {
				a.write(mother, text)
				a.post()
			}
			if got := a.value(`SELECT count(*)::text FROM rappel.opt_outs WHERE revoked_at IS NOT NULL AND source = 'reply'`); got != "1" {
				t.Errorf("%s opt-outs were heeded without the main app", got)
			}
			a.expectReplies()
			a.away.Store(0)
			a.clock.set(a.clock.Now().Add(10 * time.Minute))
			a.post()
			a.expectReplies(mother+" STOP: opt_out "+visit, mother+" START: opt_in "+visit, mother+" C: confirm "+visit)
		})
	}
}

func TestAMainAppThatTakesNoRepliesIsToldOnce(t *testing.T) {
	t.Parallel()
	a := newAnswering(t)
	counted := map[reply.Result]int{}
	a.poster.Observe = func(_ reply.Reply, o reply.Outcome) { counted[o.Result]++ }
	a.away.Store(http.StatusNotFound)
	a.write(mother, "STOP")
	a.post()
	a.away.Store(0)
	a.clock.set(a.clock.Now().Add(time.Hour))
	a.post()
	a.expectReplies()
	if diff := cmp.Diff(map[reply.Result]int{reply.Dropped: 1}, counted); diff != "" {
		t.Error(diff)
	}
	if got := a.value(`SELECT count(*)::text FROM rappel.opt_outs WHERE practice_id IS NULL AND revoked_at IS NULL`); got != "1" {
		t.Errorf("%s opt-outs of all practices", got)
	}
}

func TestAnOldSTOPToldAgainStopsNothing(t *testing.T) {
	t.Parallel()
	a := newAnswering(t)
	a.remind("Ben")
	sid := "SM" + strings.ReplaceAll(uuid.NewString(), "-", "")
	a.told(sid, mother, "STOP")
	a.write(mother, "START")
	a.told(sid, mother, "STOP")
	if got := a.value(`SELECT count(*)::text FROM rappel.opt_outs WHERE revoked_at IS NULL`); got != "0" {
		t.Errorf("%s opt-outs stand", got)
	}
}

func TestALostAnswerMakesNoSecondReply(t *testing.T) {
	t.Parallel()
	a := newAnswering(t)
	a.main.Script(dev.Hooks{After: func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	}})
	a.write(mother, "Hello")
	a.post()
	a.main.Script(dev.Hooks{})
	a.clock.set(a.clock.Now().Add(time.Minute))
	a.post()
	a.expectReplies(mother + " Hello: other")
}
