package templates_test

import (
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/valyala/fasttemplate"

	"rappel/templates"
)

// others renders the message of twelve placeholders as well-known means do, each
// given its values ready and its template compiled, as ours is.
func others(tb testing.TB, values func(name string) string) map[string]func() string {
	tb.Helper()
	plain := strings.ReplaceAll(twelve, "|there", "")
	var pairs []string
	byName, byAny := map[string]string{}, map[string]any{}
	body := plain
	for _, name := range templates.Names() {
		v := values(name)
		pairs = append(pairs, "["+name+"]", v)
		byName[name], byAny[name] = v, v
		body = strings.ReplaceAll(body, "["+name+"]", "{{."+name+"}}")
	}
	replacer := strings.NewReplacer(pairs...)
	standard := template.Must(template.New("").Parse(body))
	fast := fasttemplate.New(plain, "[", "]")
	return map[string]func() string{
		"strings.Replacer": func() string { return replacer.Replace(plain) },
		"fasttemplate":     func() string { return fast.ExecuteString(byAny) },
		"text/template": func() string {
			var b strings.Builder
			if err := standard.Execute(&b, byName); err != nil {
				tb.Fatal(err)
			}
			return b.String()
		},
	}
}

func BenchmarkTextAgainst(b *testing.B) {
	c, err := templates.Compile(twelve)
	if err != nil {
		b.Fatal(err)
	}
	v := visit(b).Values("en")
	all := others(b, v.Get)
	all["rappel"] = func() string { return c.Text(v) }
	for name, render := range all {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = render()
			}
		})
	}
}

// TestRenderingIsAheadOfTheOthers compares the best of many short rounds, taken
// in turn: what else the machine does then touches all of them alike.
func TestRenderingIsAheadOfTheOthers(t *testing.T) {
	t.Parallel()
	c, err := templates.Compile(twelve)
	if err != nil {
		t.Fatal(err)
	}
	v := visit(t).Values("en")
	ours := func() string { return c.Text(v) }
	all := others(t, v.Get)
	best := map[string]time.Duration{}
	for range 200 {
		for name, render := range all {
			quickest(best, name, render)
		}
		quickest(best, "rappel", ours)
	}
	for name, render := range all {
		if want, got := strings.TrimSpace(render()), ours(); got != want {
			t.Fatalf("%s wrote something else:\n%s\n%s", name, want, got)
		}
		t.Logf("%s takes %.1f times as long", name, float64(best[name])/float64(best["rappel"]))
		if best[name] <= best["rappel"] {
			t.Errorf("%s takes %s, we take %s", name, best[name]/rounds, best["rappel"]/rounds)
		}
	}
}

const rounds = 20

func quickest(best map[string]time.Duration, name string, render func() string) {
	began := time.Now()
	for range rounds {
		_ = render()
	}
	if took := time.Since(began); best[name] == 0 || took < best[name] {
		best[name] = took
	}
}
