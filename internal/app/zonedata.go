package app

import (
	"context"
	"fmt"
	"time"

	"rappel/internal/postgres"
	"rappel/internal/zoneinfo"
)

// zonesAhead is how far ahead the clocks of zones are compared: beyond any
// appointment that people book, and over both changes of a year.
const zonesAhead = 400 * 24 * time.Hour

// checkZoneData compares the time zone data in use with the copy in the binary
// and with the server's, for the zones that rows name. Machines that differ
// write different hours to people.
func (a *App) checkZoneData(ctx context.Context) verdict {
	v := verdict{fine: a.zones.String() + "; the server's agree for every zone in use"}
	if path := a.cfg.ZoneInfo; path != "" && a.zones.Source != path {
		v.doubtful = append(v.doubtful, "RAPPEL_ZONEINFO is not used: "+a.zones.String()+" is not older; remove it, or name newer data")
	}
	used, err := a.store.ZonesInUse(ctx)
	if err != nil {
		return failed(err)
	}
	from := a.now().UTC().Truncate(zoneStep)
	until := from.Add(zonesAhead)
	offsets, err := a.store.ServerOffsets(ctx, namesOf(used), from, until, zoneStep)
	if err != nil {
		return failed(err)
	}
	binary := zoneinfo.Embedded()
	for _, u := range used {
		zone, ok := a.zones.Load(u.Name)
		if !ok {
			continue // checkZones names it
		}
		name := fmt.Sprintf("%s (practices: %d)", u.Name, u.Practices)
		copied, ok := binary.Load(u.Name)
		if !ok {
			copied = time.UTC
		}
		if at, differ := zoneinfo.FirstDifference(zone, copied, from, until); differ {
			v.wrong = append(v.wrong, fmt.Sprintf("%s: by %s the clocks show %s at %s, by the copy in the binary (%s) %s: update rappel on every machine, or set RAPPEL_ZONEINFO on every machine",
				name, a.zones, clockAt(at, zone), at.Format(time.RFC3339), binary.Version, clockAt(at, copied)))
		}
		if at, differ := serverDiffers(zone, offsets[u.Name], from); differ {
			v.wrong = append(v.wrong, fmt.Sprintf("%s: by %s the clocks show %s at %s, PostgreSQL says otherwise: update its time zone data (the package tzdata of its machine) and restart it; rappel does not use them, but queries of your own may",
				name, a.zones, clockAt(at, zone), at.Format(time.RFC3339)))
		}
	}
	return v
}

// zoneStep is how far apart the times are at which the server is asked: clocks
// that differ do so for longer.
const zoneStep = 6 * time.Hour

// serverDiffers returns the first time at which a zone is not as many seconds
// ahead of UTC as the server says, or the beginning where the server does not
// know the zone.
func serverDiffers(zone *time.Location, seconds []int32, from time.Time) (time.Time, bool) {
	if len(seconds) == 0 {
		return from, true
	}
	for i, s := range seconds {
		at := from.Add(time.Duration(i) * zoneStep)
		if _, offset := at.In(zone).Zone(); offset != int(s) {
			return at, true
		}
	}
	return time.Time{}, false
}

func clockAt(t time.Time, zone *time.Location) string { return t.In(zone).Format("15:04") }

func namesOf(used []postgres.ZoneUse) []string {
	names := make([]string, len(used))
	for i, u := range used {
		names[i] = u.Name
	}
	return names
}
