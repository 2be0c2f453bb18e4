package dev_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"rappel/internal/dev"
	"rappel/internal/postgres"
	"rappel/internal/testenv"
	"rappel/internal/zoneinfo"
	"rappel/jobs"
)

func migrate(ctx context.Context, url string) error {
	store, err := postgres.Open(ctx, url, 2)
	if err != nil {
		return err
	}
	defer store.Close()
	_, err = store.Migrate(ctx, nil)
	return err
}

// tuesday is ten in the morning at the practice.
var tuesday = time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant that Go has no form for

func seeded(t *testing.T) (databaseURL string) {
	t.Helper()
	databaseURL = testenv.Database(t, migrate)
	if err := dev.Seed(t.Context(), databaseURL, tuesday); err != nil {
		t.Fatal(err)
	}
	return databaseURL
}

// query reads one column of texts.
func query(t *testing.T, databaseURL, sql string, args ...any) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

func TestSeedingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	u := seeded(t)
	const all = `
		SELECT 'practice ' || id FROM rappel.practices UNION ALL SELECT 'client ' || id FROM rappel.clients
		UNION ALL SELECT 'contact ' || id FROM rappel.contacts UNION ALL SELECT 'link ' || client_id || contact_id FROM rappel.client_contacts
		UNION ALL SELECT 'visit ' || id || starts_at FROM rappel.appointments UNION ALL SELECT 'event ' || id FROM rappel.events
		UNION ALL SELECT 'rule ' || id FROM rappel.rules UNION ALL SELECT 'template ' || id FROM rappel.templates
		UNION ALL SELECT 'stop ' || address FROM rappel.opt_outs ORDER BY 1`
	before := query(t, u, all)
	if err := dev.Seed(t.Context(), u, tuesday.Add(30*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, query(t, u, all)); diff != "" {
		t.Error(diff)
	}
}

func TestTheRulesOfTheSampleAreSound(t *testing.T) {
	t.Parallel()
	got := query(t, seeded(t), `SELECT kind || ' ' || (SELECT count(*) FROM rappel.templates t WHERE t.name = r.template) FROM rappel.rules r ORDER BY 1`)
	want := []string{"reminder 0", "reminder 0", "reminder 0", "scheduled 2"} // built in, and the practice's own
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheGroupMeetsAfterTheNextChangeOfTheClocks(t *testing.T) {
	t.Parallel()
	zone, ok := zoneinfo.Embedded().Load("America/New_York")
	if !ok {
		t.Skip("no tz data")
	}
	cases := map[string]struct{ now, want string }{
		"in autumn, the one in spring":     {"2026-11-24T15:00:00Z", "2027-03-14 10:00 EDT"},
		"in summer, the one in autumn":     {"2026-07-01T15:00:00Z", "2026-11-01 10:00 EST"},
		"on the day, before ten":           {"2026-11-01T05:00:00Z", "2026-11-01 10:00 EST"},
		"on the day before, late at night": {"2027-03-14T04:30:00Z", "2027-03-14 10:00 EDT"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now, err := time.Parse(time.RFC3339, c.now)
			if err != nil {
				t.Fatal(err)
			}
			u := testenv.Database(t, migrate)
			if err := dev.Seed(t.Context(), u, now); err != nil {
				t.Fatal(err)
			}
			got := query(t, u, `SELECT to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM rappel.appointments WHERE service_name = 'Weekend group'`)
			at, err := time.Parse(time.RFC3339, strings.Join(got, ""))
			if err != nil {
				t.Fatal(err)
			}
			if s := at.In(zone).Format("2006-01-02 15:04 MST"); s != c.want {
				t.Errorf("it meets at %s, want %s", s, c.want)
			}
		})
	}
}

// reports are the events that were told by task.
type reports struct{ got []jobs.Event }

func (r *reports) ReportEvent(_ context.Context, e jobs.Event) error {
	r.got = append(r.got, e)
	return nil
}

// A room is the page without rappel behind it.
type room struct {
	t       *testing.T
	handler http.Handler
	db      string
	reports *reports
}

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{t: t, db: seeded(t), reports: &reports{}}
	page, err := dev.NewPage(t.Context(), dev.PageOptions{
		DatabaseURL: r.db, Reporter: r.reports, Clock: dev.NewClock(tuesday),
		MainApp: dev.NewMainApp(dev.MainAppOptions{}), Zones: zoneinfo.Embedded(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(page.Close)
	r.handler = page.Handler()
	return r
}

func (r *room) ask(method, path string, form url.Values, header http.Header) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequestWithContext(r.t.Context(), method, "http://127.0.0.1:8080"+path, strings.NewReader(form.Encode()))
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	maps.Copy(req.Header, header)
	if host := header.Get("Host"); host != "" {
		req.Host = host
	}
	rec := httptest.NewRecorder()
	r.handler.ServeHTTP(rec, req)
	return rec
}

// press presses a button, and returns what the page says then.
func (r *room) press(path string, form url.Values) string {
	r.t.Helper()
	if rec := r.ask(http.MethodPost, path, form, nil); rec.Code != http.StatusSeeOther {
		r.t.Fatalf("%s answered %d: %s", path, rec.Code, rec.Body)
	}
	_, said, _ := strings.Cut(r.ask(http.MethodGet, "/", nil, nil).Body.String(), `id="said"`)
	_, said, _ = strings.Cut(said, ">")
	said, _, _ = strings.Cut(said, "<")
	return said
}

const (
	leo      = "0de00000-0000-7000-8000-000000000101"
	leoVisit = "0de00000-0000-7000-8000-000000000504"
)

func (r *room) visit(sql string) []string {
	r.t.Helper()
	return query(r.t, r.db, `SELECT `+sql+` FROM rappel.appointments a WHERE id = $1`, leoVisit)
}

func TestBookingWritesTheVisitAndItsEventTogether(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	if said := r.press("/do/book", url.Values{"client": {leo}, "starts": {"2026-12-01T09:30"}, "place": {"video"}}); !strings.HasPrefix(said, "Booked") {
		t.Error(said)
	}
	got := query(t, r.db, `
		SELECT concat_ws(' ', e.kind, a.status, a.revision, a.starts_at = '2026-12-01 09:30 America/New_York', a.telehealth_url IS NOT NULL,
			a.location_name IS NULL, a.booked_at = a.start_set_at)
		FROM rappel.appointments a JOIN rappel.events e ON e.appointment_id = a.id WHERE a.client_id = $1`, leo)
	if diff := cmp.Diff([]string{"appointment.booked scheduled 1 t t t t"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestMovingTellsByARowAndCancellingByATask(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.press("/do/visit", url.Values{"visit": {leoVisit}, "do": {"move"}, "starts": {"2026-12-02T11:00"}})
	got := r.visit(`concat_ws(' ', revision, starts_at = '2026-12-02 11:00 America/New_York', ends_at - starts_at, start_set_at = updated_at,
		(SELECT kind FROM rappel.events e WHERE e.appointment_id = a.id))`)
	if diff := cmp.Diff([]string{"2 t 00:50:00 t appointment.rescheduled"}, got); diff != "" {
		t.Error(diff)
	}
	r.press("/do/visit", url.Values{"visit": {leoVisit}, "do": {"cancel"}})
	if diff := cmp.Diff([]string{"3 cancelled"}, r.visit(`revision || ' ' || status`)); diff != "" {
		t.Error(diff)
	}
	if len(r.reports.got) != 1 || r.reports.got[0].Kind != jobs.Cancelled || r.reports.got[0].AppointmentID != leoVisit {
		t.Errorf("told by task: %+v", r.reports.got)
	}
}

func TestWhatCannotBeDoneIsSaidAndNotDone(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		path string
		form url.Values
		want string
	}{
		"a time gone by":       {"/do/book", url.Values{"client": {leo}, "starts": {"2026-11-24T09:59"}}, "That time has passed"},
		"no time":              {"/do/book", url.Values{"client": {leo}}, "Choose a date"},
		"nobody":               {"/do/book", url.Values{"starts": {"2026-12-01T09:30"}}, "Choose whom"},
		"somebody unknown":     {"/do/book", url.Values{"client": {leoVisit}, "starts": {"2026-12-01T09:30"}}, "Choose whom"},
		"no such visit":        {"/do/visit", url.Values{"visit": {leo}, "do": {"cancel"}}, "That visit is no longer"},
		"no visit":             {"/do/visit", url.Values{"do": {"cancel"}}, "That visit is no longer"},
		"no such button":       {"/do/visit", url.Values{"visit": {leoVisit}, "do": {"eat"}}, "There is no such button"},
		"moving into the past": {"/do/visit", url.Values{"visit": {leoVisit}, "do": {"move"}, "starts": {"2026-11-20T09:00"}}, "That time has passed"},
		"nothing written":      {"/do/answer", url.Values{"person": {grace}, "text": {" "}}, "Write something"},
		"no phone":             {"/do/answer", url.Values{"person": {leo}, "text": {"C"}}, "That person has no phone"},
		"nobody's phone":       {"/do/answer", url.Values{"person": {leoVisit}, "text": {"C"}}, "That person has no phone"},
		"no carrier":           {"/do/answer", url.Values{"person": {grace}, "text": {"C"}}, "That did not work"},
		"no such notice":       {"/do/notice", url.Values{"kind": {"appointment.booked"}, "whom": {leo}}, "There is no such button"},
		"a notice to nobody":   {"/do/notice", url.Values{"kind": {"form.sent"}, "whom": {leo + "/x"}}, "Choose whom"},
		"a notice of nobody":   {"/do/notice", url.Values{"kind": {"form.sent"}, "whom": {leoVisit}}, "Choose whom"},
		"too long a wait":      {"/do/setting", url.Values{"settle": {"601"}}, "Choose a number"},
		"turning time back":    {"/do/time", url.Values{"by": {"yesterday"}}, "There is no such button"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			if said := r.press(c.path, c.form); !strings.HasPrefix(said, c.want) {
				t.Errorf("it said %q", said)
			}
			if n := len(query(t, r.db, `SELECT id::text FROM rappel.events`)); n != 1 {
				t.Errorf("%d events", n)
			}
		})
	}
}

func TestAnotherSiteCannotPressAButton(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	form := url.Values{"visit": {leoVisit}, "do": {"cancel"}}
	cases := map[string]struct {
		header http.Header
		status int
	}{
		"from another site, as browsers say":    {http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
		"from another origin, as older ones do": {http.Header{"Origin": {"https://evil.example"}}, http.StatusForbidden},
		"by a name that leads here":             {http.Header{"Host": {"evil.example:8080"}}, http.StatusMisdirectedRequest},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if rec := r.ask(http.MethodPost, "/do/visit", form, c.header); rec.Code != c.status {
				t.Errorf("answered %d", rec.Code)
			}
			if got := r.visit("status"); got[0] != "scheduled" {
				t.Errorf("the visit is %s", got[0])
			}
		})
	}
}

func TestThePageIsNotSentAgainUnlessItChanged(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	first := r.ask(http.MethodGet, "/", nil, nil)
	again := r.ask(http.MethodGet, "/", nil, http.Header{"If-None-Match": {first.Header().Get("ETag")}})
	if first.Code != http.StatusOK || again.Code != http.StatusNotModified {
		t.Errorf("answered %d, then %d", first.Code, again.Code)
	}
}

func TestThePageSaysSoWhereTheDatabaseIsGone(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	query(t, r.db, `WITH gone AS (DELETE FROM rappel.practices RETURNING id) SELECT id::text FROM gone`)
	if rec := r.ask(http.MethodGet, "/", nil, nil); rec.Code != http.StatusServiceUnavailable || !strings.Contains(rec.Body.String(), "practice is gone") {
		t.Errorf("answered %d: %s", rec.Code, rec.Body)
	}
}

func TestServicesThatAreGivenAreNotStarted(t *testing.T) {
	t.Parallel()
	s, err := dev.StartServices(t.Context(), dev.ServiceOptions{DatabaseURL: "postgres://db/x", RedisURL: "redis://r/0"})
	if err != nil || s.DatabaseURL != "postgres://db/x" || s.RedisURL != "redis://r/0" {
		t.Errorf("%+v, %v", s, err)
	}
	if err := errors.Join(s.Stop(), s.Stop()); err != nil {
		t.Error(err)
	}
}
