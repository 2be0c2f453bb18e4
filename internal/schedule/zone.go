package schedule

import "time"

// HourOf is the beginning of the hour on the clocks of a zone in which t lies.
func HourOf(t time.Time, zone *time.Location) time.Time {
	_, seconds := t.In(zone).Zone()
	offset := time.Duration(seconds) * time.Second
	return t.UTC().Add(offset).Truncate(time.Hour).Add(-offset)
}
