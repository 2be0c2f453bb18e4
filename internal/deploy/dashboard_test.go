package deploy_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// A panel is one of the dashboard's.
type panel struct {
	ID          int
	Type        string
	Title       string
	Description string
	GridPos     struct{ H, W, X, Y int }
	Targets     []struct{ Expr, LegendFormat string }
}

type dashboard struct {
	Title       string
	Panels      []panel
	Annotations struct {
		List []struct{ Expr, TitleFormat string }
	}
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, "grafana/dashboard.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// plain is an expression as Grafana sends it.
func plain(d dashboard, expr string) string {
	expr = strings.ReplaceAll(expr, "$__rate_interval", "5m")
	for _, v := range d.Templating.List {
		expr = strings.ReplaceAll(expr, "$"+v.Name, ".*")
	}
	return expr
}

func TestTheDashboardAsksForWhatThereIs(t *testing.T) {
	t.Parallel()
	d, there := readDashboard(t), exported(t)
	var all []string
	for _, p := range d.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%s shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			expr := plain(d, target.Expr)
			if strings.Contains(expr, "$") {
				t.Errorf("%s asks with a variable that there is not: %s", p.Title, target.Expr)
			}
			expectQuery(t, there, expr, placeholders(target.LegendFormat))
			all = append(all, expr)
		}
	}
	for _, a := range d.Annotations.List {
		all = append(all, plain(d, a.Expr))
	}
	for _, v := range d.Templating.List {
		if v.Type == "query" {
			metric, label, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(v.Definition, "label_values("), ")"), ", ")
			expectQuery(t, there, "max by ("+label+") ("+metric+")", []string{label})
		}
	}
	checkExpressions(t, all)
}

// TestTheDashboardLeavesNothingOut: whatever there is to be told has a panel.
func TestTheDashboardLeavesNothingOut(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			all.WriteString(target.Expr + "\n")
		}
	}
	for metric := range ours(t) {
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(metric, "_bucket"), "_sum"), "_count")
		if !strings.Contains(all.String(), base) {
			t.Errorf("no panel shows %s", base)
		}
	}
}

func TestNoPanelStandsOnAnother(t *testing.T) {
	t.Parallel()
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range readDashboard(t).Panels {
		if ids[p.ID] {
			t.Errorf("two panels have the id %d", p.ID)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok || x >= 24 {
					t.Fatalf("%s stands on %s at %d, %d", p.Title, other, x, y)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

func TestThePanelsLeadToSectionsThatThereAre(t *testing.T) {
	t.Parallel()
	anchors := map[string]bool{}
	for name := range sections(t) {
		anchors[strings.ToLower(name)] = true
	}
	for _, p := range readDashboard(t).Panels {
		for _, anchor := range names(`OPERATIONS\.md#(\w+)`, p.Description) {
			if !anchors[anchor] {
				t.Errorf("%s leads to %s, which there is not", p.Title, anchor)
			}
		}
	}
}
