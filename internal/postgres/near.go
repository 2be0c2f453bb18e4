package postgres

import (
	"encoding/json"
	"time"

	"rappel/internal/schedule"
	"rappel/jobs/sweep"
)

// near is a common table expression: rules (rule_id) and appointments that looks
// see, and those booked or moved after $1, up to $2, when a rule was due. $3
// holds the looks. A pair may come twice. The appointments are all, or those of
// a condition on practice_id.
//
// OFFSET 0 fences each step in, so that it is taken a row at a time through its
// index: the cost follows what is near its due time, not what is stored, nor how
// many practices share an offset. Without it the planner joins whole tables, or
// reads a range anew for each rule, and takes ten times as long where five
// million are stored.
func near(practices string) string {
	return `
near AS (
	SELECT r.id AS rule_id, a.*, p.zone AS practice_zone, p.sms_opens, p.sms_closes, p.digest
	FROM jsonb_to_recordset($3) AS l (anchor text, after timestamptz, until timestamptz, minutes int, days int, at int,
		zones text[], "foreign" boolean, opens int, closes int, told text[], abroad text[], digest boolean)
	CROSS JOIN LATERAL (
		SELECT ` + visitColumns + ` FROM rappel.appointments a
		WHERE ` + practices + ` AND l.anchor = 'start' AND ` + perhapsForeign + ` AND starts_at > l.after AND starts_at <= l.until
		UNION ALL
		SELECT ` + visitColumns + ` FROM rappel.appointments a
		WHERE ` + practices + ` AND l.anchor = 'end' AND ` + perhapsForeign + ` AND ends_at > l.after AND ends_at <= l.until
		UNION ALL
		SELECT ` + visitColumns + ` FROM rappel.appointments a
		WHERE ` + practices + ` AND l.anchor = 'booked' AND ` + perhapsForeign + ` AND booked_at > l.after AND booked_at <= l.until
		OFFSET 0) a
	CROSS JOIN LATERAL (
		SELECT r.id FROM rappel.rules r
		WHERE r.practice_id = a.practice_id AND r.active AND r.anchor::text = l.anchor
			AND r.offset_minutes IS NOT DISTINCT FROM l.minutes AND r.offset_days IS NOT DISTINCT FROM l.days
			AND ` + secondsOf("r.at_time") + ` IS NOT DISTINCT FROM l.at
		OFFSET 0) r
	CROSS JOIN LATERAL (` + practiceOfVisit + `) p
	WHERE (l.zones IS NULL OR p.zone = ANY (l.zones) OR a.time_zone::text = ANY (l.zones))
		AND (NOT l."foreign" OR a.time_zone::text <> p.zone)
		AND (NOT l.digest OR p.digest)
		AND (l.opens IS NULL OR ` + secondsOf("p.sms_opens") + ` = l.opens AND ` + secondsOf("p.sms_closes") + ` = l.closes)
		AND (l.told IS NULL AND l.abroad IS NULL OR p.zone = ANY (l.told) OR l.abroad IS NOT NULL AND ` + livesAbroad + `)
	UNION ALL
	SELECT r.id, a.*, p.zone, p.sms_opens, p.sms_closes, p.digest
	FROM (
		SELECT ` + visitColumns + ` FROM rappel.appointments a WHERE ` + practices + ` AND booked_at > $1 AND booked_at <= $2
		UNION ALL
		SELECT ` + visitColumns + ` FROM rappel.appointments a WHERE ` + practices + ` AND start_set_at > $1 AND start_set_at <= $2
		UNION ALL
		SELECT ` + visitColumns + ` FROM rappel.appointments a WHERE ` + practices + ` AND updated_at > $1 AND updated_at <= $2 AND start_set_at IS NULL
		OFFSET 0) a
	CROSS JOIN LATERAL (
		SELECT r.id FROM rappel.rules r
		WHERE r.practice_id = a.practice_id AND r.active AND ` + wasDue + `
		OFFSET 0) r
	CROSS JOIN LATERAL (` + practiceOfVisit + `) p
)`
}

// visitColumns are what a sweep needs of an appointment: it does not go back to
// the row.
const visitColumns = `a.id, a.practice_id, a.client_id, a.starts_at, a.ends_at, a.booked_at, a.updated_at, a.start_set_at,
	a.time_zone, a.service_name, a.status`

// perhapsForeign keeps a look at appointments in zones of their own from a view
// where they have none.
const perhapsForeign = `(NOT l."foreign" OR a.time_zone IS NOT NULL)`

// practiceOfVisit is the practice of appointment a.
const practiceOfVisit = `
		SELECT coalesce(p.time_zone::text, '') AS zone, p.sms_opens, p.sms_closes, coalesce(p.family_digest, false) AS digest
		FROM rappel.practices p WHERE p.id = a.practice_id OFFSET 0`

// livesAbroad tells that the client of appointment a, a contact, or the client
// that a contact is as well has one of the zones of look l.
const livesAbroad = `EXISTS (
		SELECT FROM rappel.clients c
		WHERE c.id = a.client_id AND (c.time_zone::text = ANY (l.abroad) OR EXISTS (
			SELECT FROM rappel.client_contacts o
			JOIN rappel.contacts k ON k.id = o.contact_id
			LEFT JOIN rappel.clients s ON s.id = k.client_id
			WHERE o.client_id = a.client_id AND (k.time_zone::text = ANY (l.abroad) OR s.time_zone::text = ANY (l.abroad))
			OFFSET 0))
		OFFSET 0)`

// offsetIsSound is false of rules beyond ten years: they would leave the range
// of timestamps, and rappel check names them.
const offsetIsSound = `(r.offset_minutes IS NULL) <> (r.offset_days IS NULL)
	AND coalesce(r.offset_minutes, 0) BETWEEN -5256000 AND 5256000 AND coalesce(r.offset_days, 0) BETWEEN -3650 AND 3650`

// wasDue tells that rule r was due by $2 for appointment a, or nearly: days on
// the calendar differ from days of 24 hours by what schedule.Rule.Reach allows.
const wasDue = `CASE WHEN ` + offsetIsSound + ` THEN
			CASE r.anchor::text WHEN 'start' THEN a.starts_at WHEN 'end' THEN a.ends_at WHEN 'booked' THEN a.booked_at END
			<= $2::timestamptz - make_interval(mins => coalesce(r.offset_minutes, 0)::int, days => coalesce(r.offset_days, 0)::int)
				+ CASE WHEN r.offset_days IS NULL THEN interval '0' WHEN r.at_time IS NULL THEN interval '3 hours' ELSE interval '27 hours' END END`

// undecided is the condition that a pair of near, as a, was not decided for its
// present start.
const undecided = `isfinite(a.starts_at) AND NOT EXISTS (
	SELECT FROM rappel.decisions d
	WHERE d.rule_id = a.rule_id AND d.appointment_id = a.id AND d.starts_at = a.starts_at
	OFFSET 0)`

// secondsOf is a time of day as schedule.Clock has it, without fractions.
func secondsOf(column string) string { return "floor(extract(epoch FROM " + column + "))::int" }

// A look is a sweep.Look as near reads it.
type look struct {
	Anchor  schedule.Anchor `json:"anchor"`
	After   time.Time       `json:"after"`
	Until   time.Time       `json:"until"`
	Minutes *int            `json:"minutes"`
	Days    *int            `json:"days"`
	At      *int            `json:"at"`
	Zones   []string        `json:"zones"`
	Foreign bool            `json:"foreign"`
	Opens   *int            `json:"opens"`
	Closes  *int            `json:"closes"`
	Told    []string        `json:"told"`
	Abroad  []string        `json:"abroad"`
	Digest  bool            `json:"digest"`
}

func inWords(looks []sweep.Look) ([]byte, error) {
	all := make([]look, 0, len(looks))
	for _, l := range looks {
		r := l.Offset
		all = append(all, look{
			Anchor: r.Anchor, After: l.After, Until: l.Until, Minutes: r.Minutes, Days: r.Days, At: secondsInto(r.At),
			Zones: l.Zones, Foreign: l.Foreign, Opens: secondsInto(l.Window.Opens), Closes: secondsInto(l.Window.Closes),
			Told: l.Told, Abroad: l.Abroad, Digest: l.Digest,
		})
	}
	return json.Marshal(all)
}

// secondsInto is how far into the day c is.
func secondsInto(c *schedule.Clock) *int {
	if c == nil {
		return nil
	}
	return new((c.Hour*60+c.Minute)*60 + c.Second)
}
