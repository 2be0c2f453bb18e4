package schedule_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rappel/internal/kind"
	"rappel/internal/schedule"
)

func minutes(id string, anchor schedule.Anchor, n int) schedule.Rule {
	return schedule.Rule{ID: id, Kind: kind.Reminder, Anchor: anchor, Minutes: &n}
}

// days makes a rule at a time of day, or at the anchor's own for "".
func days(tb testing.TB, id string, anchor schedule.Anchor, n int, at string) schedule.Rule {
	tb.Helper()
	r := schedule.Rule{ID: id, Kind: kind.Reminder, Anchor: anchor, Days: &n}
	if at != "" {
		c := clock(tb, at)
		r.At = &c
	}
	return r
}

func TestDueBeforeTheStart(t *testing.T) {
	t.Parallel()
	day := func(at string) schedule.Rule { return days(t, "day", schedule.AnchorStart, -1, at) }
	exact := minutes("exact", schedule.AnchorStart, -24*60)
	tests := map[string]struct {
		rule               schedule.Rule
		zone, starts, want string
	}{
		"24 h, on a common day":                            {exact, "America/New_York", "2026-12-10T15:00:00-05:00", "2026-12-09T15:00:00-05:00"},
		"1 day, on a common day":                           {day(""), "America/New_York", "2026-12-10T15:00:00-05:00", "2026-12-09T15:00:00-05:00"},
		"New York, 24 h across the spring change":          {exact, "America/New_York", "2026-03-08T10:00:00-04:00", "2026-03-07T09:00:00-05:00"},
		"New York, 1 day across the spring change":         {day(""), "America/New_York", "2026-03-08T10:00:00-04:00", "2026-03-07T10:00:00-05:00"},
		"New York, 24 h across the autumn change":          {exact, "America/New_York", "2026-11-01T10:00:00-05:00", "2026-10-31T11:00:00-04:00"},
		"New York, 1 day across the autumn change":         {day(""), "America/New_York", "2026-11-01T10:00:00-05:00", "2026-10-31T10:00:00-04:00"},
		"New York, 1 day before at a time in the gap":      {day(""), "America/New_York", "2026-03-09T02:30:00-04:00", "2026-03-08T03:30:00-04:00"},
		"New York, 1 day before at a doubled time":         {day(""), "America/New_York", "2026-11-02T01:30:00-05:00", "2026-11-01T01:30:00-04:00"},
		"New York, 1 day after the second of a doubled":    {day(""), "America/New_York", "2026-11-01T01:30:00-05:00", "2026-10-31T01:30:00-04:00"},
		"London, 24 h across the spring change":            {exact, "Europe/London", "2026-03-29T09:00:00+01:00", "2026-03-28T08:00:00Z"},
		"London, 1 day across the spring change":           {day(""), "Europe/London", "2026-03-29T09:00:00+01:00", "2026-03-28T09:00:00Z"},
		"London, 1 day across the autumn change":           {day(""), "Europe/London", "2026-10-25T09:00:00Z", "2026-10-24T09:00:00+01:00"},
		"Berlin, the day before at eight, in spring":       {day("08:00"), "Europe/Berlin", "2026-03-30T15:00:00+02:00", "2026-03-29T08:00:00+02:00"},
		"Berlin, the day before in the gap":                {day("02:30"), "Europe/Berlin", "2026-03-30T15:00:00+02:00", "2026-03-29T03:30:00+02:00"},
		"Berlin, the day before in the doubled hour":       {day("02:30"), "Europe/Berlin", "2026-10-26T15:00:00+01:00", "2026-10-25T02:30:00+02:00"},
		"Lord Howe, 24 h across half an hour":              {exact, "Australia/Lord_Howe", "2026-10-04T09:00:00+11:00", "2026-10-03T08:30:00+10:30"},
		"Lord Howe, 1 day across half an hour":             {day(""), "Australia/Lord_Howe", "2026-10-04T09:00:00+11:00", "2026-10-03T09:00:00+10:30"},
		"Lord Howe, the day before in the gap":             {day("02:15"), "Australia/Lord_Howe", "2026-10-05T09:00:00+11:00", "2026-10-04T02:45:00+11:00"},
		"Kathmandu, 1 day":                                 {day(""), "Asia/Kathmandu", "2026-03-29T09:00:00+05:45", "2026-03-28T09:00:00+05:45"},
		"Kathmandu, whose day is ahead of UTC's":           {day("18:00"), "Asia/Kathmandu", "2026-03-29T01:00:00+05:45", "2026-03-28T18:00:00+05:45"},
		"Sydney, 1 day across its spring change":           {day(""), "Australia/Sydney", "2026-10-04T09:00:00+11:00", "2026-10-03T09:00:00+10:00"},
		"Sydney, 24 h across its autumn change":            {exact, "Australia/Sydney", "2026-04-05T09:00:00+10:00", "2026-04-04T10:00:00+11:00"},
		"St. John's, 1 day across the spring change":       {day(""), "America/St_Johns", "2026-03-08T09:00:00-02:30", "2026-03-07T09:00:00-03:30"},
		"Chatham, 1 day across its spring change":          {day(""), "Pacific/Chatham", "2026-09-27T09:00:00+13:45", "2026-09-26T09:00:00+12:45"},
		"São Paulo, the day before at a skipped midnight":  {day("00:00"), "America/Sao_Paulo", "2018-11-05T09:00:00-02:00", "2018-11-04T01:00:00-02:00"},
		"Apia, the day before that never was":              {day(""), "Pacific/Apia", "2011-12-31T09:00:00+14:00", "2011-12-31T09:00:00+14:00"},
		"Vancouver, 1 day across the spring change":        {day(""), "America/Vancouver", "2026-03-08T10:00:00-07:00", "2026-03-07T10:00:00-08:00"},
		"a whole week before at eight":                     {days(t, "week", schedule.AnchorStart, -7, "08:00"), "America/New_York", "2026-11-05T15:00:00-05:00", "2026-10-29T08:00:00-04:00"},
		"on the day itself at eight":                       {days(t, "day0", schedule.AnchorStart, 0, "08:00"), "America/New_York", "2026-11-01T15:00:00-05:00", "2026-11-01T08:00:00-05:00"},
		"no days and no time is the start, also a doubled": {days(t, "day0", schedule.AnchorStart, 0, ""), "America/New_York", "2026-11-01T01:30:00-05:00", "2026-11-01T01:30:00-05:00"},
		"a month before across the end of the year":        {days(t, "30", schedule.AnchorStart, -30, "12:00"), "Europe/Berlin", "2027-01-10T09:00:00+01:00", "2026-12-11T12:00:00+01:00"},
		"without a zone the calendar is UTC's":             {day("08:00"), "", "2026-12-10T23:00:00-05:00", "2026-12-10T08:00:00Z"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := schedule.Visit{StartsAt: instant(t, tt.starts)}
			if tt.zone != "" {
				v.Zone = zoneNamed(t, tt.zone)
			}
			same(t, "due", tt.rule.Due(v), instant(t, tt.want))
		})
	}
}

func TestDueInVancouverSinceItStaysOnUTCMinus7(t *testing.T) {
	t.Parallel()
	zone := zoneNamed(t, "America/Vancouver")
	if _, offset := instant(t, "2026-12-01T12:00:00Z").In(zone).Zone(); offset != -7*3600 {
		t.Skipf("the tz data are older than 2026b: Vancouver is at %d s from UTC in December 2026", offset)
	}
	v := schedule.Visit{StartsAt: instant(t, "2026-11-01T10:00:00-07:00"), Zone: zone}
	want := instant(t, "2026-10-31T10:00:00-07:00")
	same(t, "1 day before", days(t, "day", schedule.AnchorStart, -1, "").Due(v), want)
	same(t, "24 h before", minutes("exact", schedule.AnchorStart, -24*60).Due(v), want)
}

func TestDueFromOtherAnchors(t *testing.T) {
	t.Parallel()
	visit := schedule.Visit{
		StartsAt: instant(t, "2026-03-07T15:00:00-05:00"),
		EndsAt:   instant(t, "2026-03-07T15:50:00-05:00"),
		BookedAt: instant(t, "2026-03-01T11:22:33.456-05:00"),
		Zone:     zoneNamed(t, "America/New_York"),
	}
	tests := map[string]struct {
		rule schedule.Rule
		want string
	}{
		"two hours after the end":               {minutes("", schedule.AnchorEnd, 120), "2026-03-07T17:50:00-05:00"},
		"the day after the end, at its time":    {days(t, "", schedule.AnchorEnd, 1, ""), "2026-03-08T15:50:00-04:00"},
		"the day after the end, in the gap":     {days(t, "", schedule.AnchorEnd, 1, "02:10"), "2026-03-08T03:10:00-04:00"},
		"at once after the booking":             {minutes("", schedule.AnchorBooked, 0), "2026-03-01T11:22:33.456-05:00"},
		"an hour after the booking":             {minutes("", schedule.AnchorBooked, 60), "2026-03-01T12:22:33.456-05:00"},
		"the day after the booking, to the dot": {days(t, "", schedule.AnchorBooked, 1, ""), "2026-03-02T11:22:33.456-05:00"},
		"the day after the booking, at nine":    {days(t, "", schedule.AnchorBooked, 1, "09:00"), "2026-03-02T09:00:00-05:00"},
		"the longest offset there can be":       {minutes("", schedule.AnchorStart, 1<<31-1), "6109-03-30T22:07:00Z"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			same(t, "due", tt.rule.Due(visit), instant(t, tt.want))
		})
	}
}

func TestAppliesTo(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		rule, service string
		want          bool
	}{
		"any service":      {"", "Intake", true},
		"its own service":  {"Intake", "Intake", true},
		"another service":  {"Intake", "Therapy", false},
		"a visit has none": {"Intake", "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := schedule.Rule{ServiceName: tt.rule}
			if got := r.AppliesTo(schedule.Visit{ServiceName: tt.service}); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestValid(t *testing.T) {
	t.Parallel()
	n := -1
	for name, r := range map[string]schedule.Rule{
		"minutes":                minutes("", schedule.AnchorStart, -60),
		"days":                   days(t, "", schedule.AnchorEnd, 1, ""),
		"ten years":              days(t, "", schedule.AnchorEnd, 3650, ""),
		"days at a time of day":  days(t, "", schedule.AnchorBooked, 1, "09:00"),
		"for a scheduled letter": {Kind: kind.Scheduled, Anchor: schedule.AnchorStart, Days: &n},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := r.Valid(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestValidReportsEveryMistake(t *testing.T) {
	t.Parallel()
	n, at := -1, schedule.Clock{Hour: 9}
	tests := map[string]struct {
		rule schedule.Rule
		want []string
	}{
		"no offset":                {schedule.Rule{Kind: kind.Reminder, Anchor: schedule.AnchorStart}, []string{"one of them"}},
		"both offsets":             {schedule.Rule{Kind: kind.Reminder, Anchor: schedule.AnchorStart, Minutes: &n, Days: &n}, []string{"one of them"}},
		"a time of day to minutes": {schedule.Rule{Kind: kind.Reminder, Anchor: schedule.AnchorStart, Minutes: &n, At: &at}, []string{"time of day"}},
		"an anchor unheard of":     {schedule.Rule{Kind: kind.Reminder, Anchor: "middle", Minutes: &n}, []string{`"middle"`}},
		"a kind of events":         {schedule.Rule{Kind: kind.Booked, Anchor: schedule.AnchorStart, Minutes: &n}, []string{`"appointment.booked"`}},
		"minutes for ages":         {minutes("", schedule.AnchorStart, -3650*24*60-1), []string{"ten years"}},
		"days for ages":            {days(t, "", schedule.AnchorEnd, 3651, ""), []string{"ten years"}},
		"nothing at all":           {schedule.Rule{}, []string{"kind", "anchor", "offset"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.rule.Valid()
			if err == nil {
				t.Fatal("valid")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not mention %s", err, want)
				}
			}
			if got := strings.Count(err.Error(), "\n") + 1; got != len(tt.want) {
				t.Errorf("%d mistakes in %q, want %d", got, err, len(tt.want))
			}
		})
	}
}

func TestLookAt(t *testing.T) {
	t.Parallel()
	const starts = "2026-12-10T09:00:00-05:00"
	tests := map[string]struct {
		rule               schedule.Rule
		window, set, saved string
		want               string
	}{
		"e-mail: when due":                           {rule: minutes("", schedule.AnchorStart, -120), want: "2026-12-10T07:00:00-05:00"},
		"SMS long before the start: when due":        {rule: minutes("", schedule.AnchorStart, -24*60), window: "08:00-21:00", want: "2026-12-09T09:00:00-05:00"},
		"SMS close to the start: the evening before": {rule: minutes("", schedule.AnchorStart, -120), window: "08:00-21:00", want: "2026-12-09T16:30:00-05:00"},
		"not before the booking":                     {rule: minutes("", schedule.AnchorStart, -120), window: "08:00-21:00", set: "2026-12-09T20:00:00-05:00", want: "2026-12-09T20:00:00-05:00"},
		"a late booking: when booked":                {rule: minutes("", schedule.AnchorStart, -120), set: "2026-12-10T08:00:00-05:00", want: "2026-12-10T08:00:00-05:00"},
		"not before the rule was saved":              {rule: minutes("", schedule.AnchorStart, -120), window: "08:00-21:00", saved: "2026-12-09T21:00:00-05:00", want: "2026-12-09T21:00:00-05:00"},
		"after the end: when due":                    {rule: minutes("", schedule.AnchorEnd, -10), window: "08:00-21:00", want: "2026-12-10T09:40:00-05:00"},
		"after the booking: when due":                {rule: minutes("", schedule.AnchorBooked, 90), window: "08:00-21:00", want: "2026-12-01T13:30:00-05:00"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := schedule.Visit{
				StartsAt: instant(t, starts),
				EndsAt:   instant(t, starts).Add(50 * time.Minute),
				BookedAt: instant(t, "2026-12-01T12:00:00-05:00"),
				SetAt:    maybe(t, tt.set),
				Zone:     zoneNamed(t, "America/New_York"),
			}
			tt.rule.SavedAt = maybe(t, tt.saved)
			same(t, "look at", tt.rule.LookAt(v, window(t, tt.window)), instant(t, tt.want))
		})
	}
}

func TestReach(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		rule        schedule.Rule
		least, most time.Duration
	}{
		"minutes":               {hours(24), -24 * time.Hour, -24 * time.Hour},
		"days":                  {days(t, "", schedule.AnchorStart, -1, ""), -27 * time.Hour, -21 * time.Hour},
		"days at a time of day": {days(t, "", schedule.AnchorStart, -1, "08:00"), -51 * time.Hour, 3 * time.Hour},
		"no offset":             {schedule.Rule{}, 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if least, most := tt.rule.Reach(); least != tt.least || most != tt.most {
				t.Errorf("reaches [%s, %s], want [%s, %s]", least, most, tt.least, tt.most)
			}
		})
	}
}

func TestDueIsWithinReach(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := drawRule(t, "a")
		r.Anchor = schedule.AnchorStart
		v := schedule.Visit{StartsAt: drawMoment(t, "start", 400*24*time.Hour), Zone: drawZone(t)}
		least, most := r.Reach()
		if got := r.Due(v).Sub(v.StartsAt); got < least || got > most {
			t.Errorf("due %s from the start, not within [%s, %s]", got, least, most)
		}
	})
}
