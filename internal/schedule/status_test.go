package schedule_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/kind"
	"rappel/internal/schedule"
)

func statuses() []schedule.Status {
	return []schedule.Status{
		schedule.StatusRequested, schedule.StatusScheduled, schedule.StatusConfirmed, schedule.StatusDeclined,
		schedule.StatusCancelled, schedule.StatusMissed, schedule.StatusArrived, schedule.StatusCompleted, "no-such",
	}
}

// verdicts are for the statuses in the order of the contract, and an unknown one.
type verdicts [9]schedule.Reason

const (
	no schedule.Reason = "" // nothing against it
	nc                 = schedule.NotConfirmed
	ca                 = schedule.Cancelled
	su                 = schedule.Superseded
	st                 = schedule.BadStatus
)

func TestAgainstByStatus(t *testing.T) {
	t.Parallel()
	coming := verdicts{nc, no, no, su, ca, su, su, su, su}
	rule := verdicts{nc, no, no, st, ca, st, st, st, st}
	notice := verdicts{}
	tests := map[kind.Kind]verdicts{
		kind.Booked:                 coming,
		kind.Confirmed:              coming,
		kind.Rescheduled:            coming,
		kind.TelehealthLink:         coming,
		kind.Declined:               {su, su, su, no, su, su, su, su, su},
		kind.Cancelled:              {su, su, su, su, no, su, su, su, su},
		kind.Missed:                 {su, su, su, su, su, no, su, su, su},
		kind.Reminder:               rule,
		kind.Scheduled:              rule,
		kind.PortalInvited:          notice,
		kind.PortalMessage:          notice,
		kind.FormSent:               notice,
		kind.FormSignatureRequested: notice,
		kind.DocumentShared:         notice,
		kind.InvoiceIssued:          notice,
		kind.EstimateIssued:         notice,
	}
	now := instant(t, "2026-12-09T15:00:00Z")
	for _, k := range kind.All() {
		t.Run(string(k), func(t *testing.T) {
			t.Parallel()
			want, ok := tests[k]
			if !ok {
				t.Fatal("no verdicts for this kind")
			}
			for i, status := range statuses() {
				v := schedule.Visit{StartsAt: now.Add(time.Hour), Status: status}
				if diff := cmp.Diff(only(want[i]), schedule.Against(k, v, now)); diff != "" {
					t.Errorf("%s: (-want +got)\n%s", status, diff)
				}
			}
		})
	}
}

func TestRuleAgainstByStatus(t *testing.T) {
	t.Parallel()
	before := verdicts{nc, no, no, st, ca, st, st, st, st}
	tests := map[string]struct {
		rule schedule.Rule
		want verdicts
	}{
		"before the start":   {minutes("", schedule.AnchorStart, -30), before},
		"after the booking":  {minutes("", schedule.AnchorBooked, 30), before},
		"anchored at an end": {minutes("", schedule.AnchorEnd, 30), verdicts{nc, no, no, st, ca, st, no, no, st}},
	}
	now := instant(t, "2026-12-09T15:00:00Z")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, status := range statuses() {
				v := schedule.Visit{StartsAt: now.Add(time.Hour), EndsAt: now.Add(2 * time.Hour), Status: status}
				if diff := cmp.Diff(only(tt.want[i]), tt.rule.Against(v, now)); diff != "" {
					t.Errorf("%s: (-want +got)\n%s", status, diff)
				}
			}
		})
	}
}

func only(r schedule.Reason) []schedule.Reason {
	if r == "" {
		return nil
	}
	return []schedule.Reason{r}
}

func TestAgainstAPastStart(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		kind   kind.Kind
		status schedule.Status
		now    string
		want   []schedule.Reason
	}{
		"at the start it is not past":            {kind.Booked, schedule.StatusScheduled, "2026-12-09T15:00:00Z", nil},
		"just after the start it is":             {kind.Booked, schedule.StatusScheduled, "2026-12-09T15:00:01Z", []schedule.Reason{schedule.Past}},
		"a cancellation tells nobody":            {kind.Cancelled, schedule.StatusCancelled, "2026-12-09T15:01:00Z", []schedule.Reason{schedule.Past}},
		"nor does a refusal":                     {kind.Declined, schedule.StatusDeclined, "2026-12-09T15:01:00Z", []schedule.Reason{schedule.Past}},
		"a telehealth link comes too late":       {kind.TelehealthLink, schedule.StatusConfirmed, "2026-12-09T15:01:00Z", []schedule.Reason{schedule.Past}},
		"a missed visit is always past":          {kind.Missed, schedule.StatusMissed, "2026-12-09T18:00:00Z", nil},
		"a missed visit that came after all":     {kind.Missed, schedule.StatusArrived, "2026-12-09T18:00:00Z", []schedule.Reason{schedule.Superseded}},
		"every reason is given":                  {kind.Booked, schedule.StatusCancelled, "2026-12-09T18:00:00Z", []schedule.Reason{schedule.Cancelled, schedule.Past}},
		"a reminder is as much past as an event": {kind.Reminder, schedule.StatusScheduled, "2026-12-09T18:00:00Z", []schedule.Reason{schedule.Past}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := schedule.Visit{StartsAt: instant(t, "2026-12-09T15:00:00Z"), Status: tt.status}
			if diff := cmp.Diff(tt.want, schedule.Against(tt.kind, v, instant(t, tt.now))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestRuleAgainstThePast(t *testing.T) {
	t.Parallel()
	past := []schedule.Reason{schedule.Past}
	tests := map[string]struct {
		rule schedule.Rule
		now  string
		want []schedule.Reason
	}{
		"a reminder at the start":                 {minutes("", schedule.AnchorStart, -30), "2026-12-09T15:00:00Z", nil},
		"a reminder after the start":              {minutes("", schedule.AnchorStart, -30), "2026-12-09T15:00:01Z", past},
		"counted from the booking, after a start": {minutes("", schedule.AnchorBooked, 30), "2026-12-09T15:00:01Z", past},
		"an end's after the start":                {minutes("", schedule.AnchorEnd, 60), "2026-12-09T17:00:00Z", nil},
		"an end's a day after it was due":         {minutes("", schedule.AnchorEnd, 60), "2026-12-10T17:00:00Z", nil},
		"an end's more than a day after":          {minutes("", schedule.AnchorEnd, 60), "2026-12-10T17:00:01Z", past},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := schedule.Visit{
				StartsAt: instant(t, "2026-12-09T15:00:00Z"),
				EndsAt:   instant(t, "2026-12-09T16:00:00Z"),
				Status:   schedule.StatusScheduled,
			}
			if diff := cmp.Diff(tt.want, tt.rule.Against(v, instant(t, tt.now))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestNotAfter(t *testing.T) {
	t.Parallel()
	const start, dayAfter = "2026-12-20T15:00:00Z", "2026-12-10T09:00:00Z"
	atEnd, atStart := minutes("", schedule.AnchorEnd, 60), minutes("", schedule.AnchorStart, -60)
	tests := map[string]struct {
		kind kind.Kind
		rule *schedule.Rule
		want string
	}{
		"a booking":          {kind.Booked, nil, start},
		"a cancellation":     {kind.Cancelled, nil, start},
		"a refusal":          {kind.Declined, nil, start},
		"a link":             {kind.TelehealthLink, nil, start},
		"a missed visit":     {kind.Missed, nil, dayAfter},
		"a form":             {kind.FormSent, nil, dayAfter},
		"an invoice":         {kind.InvoiceIssued, nil, dayAfter},
		"a reminder":         {kind.Reminder, &atStart, start},
		"anchored at an end": {kind.Scheduled, &atEnd, dayAfter},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := schedule.Visit{StartsAt: instant(t, start)}
			from := instant(t, "2026-12-09T09:00:00Z")
			same(t, "not after", schedule.NotAfter(tt.kind, tt.rule, v, from), instant(t, tt.want))
		})
	}
}
