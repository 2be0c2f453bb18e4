package schedule_test

import (
	"testing"

	"rappel/internal/schedule"
)

func BenchmarkLocal(b *testing.B) {
	zone := zoneNamed(b, "America/New_York")
	b.ReportAllocs()
	for b.Loop() {
		schedule.Local(2026, 12, 9, schedule.Clock{Hour: 8}, zone)
	}
}

func BenchmarkDue(b *testing.B) {
	rule, visit := days(b, "", schedule.AnchorStart, -1, "08:00"), question{}.visit(b)
	b.ReportAllocs()
	for b.Loop() {
		rule.Due(visit)
	}
}

func BenchmarkLookAt(b *testing.B) {
	rule, visit, w := hours(2), question{}.visit(b), window(b, "08:00-21:00")
	b.ReportAllocs()
	for b.Loop() {
		rule.LookAt(visit, w)
	}
}

func BenchmarkTime(b *testing.B) {
	rules := []schedule.Rule{hours(48), hours(24), hours(2)}
	visit, zone, now := question{}.visit(b), zoneNamed(b, "Europe/Berlin"), instant(b, "2026-12-09T15:00:20+01:00")
	for name, w := range map[string]schedule.Window{"e-mail": {}, "SMS": window(b, "08:00-21:00")} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				schedule.Policy{}.Time(rules[1], rules, visit, w, zone, now)
			}
		})
	}
}
