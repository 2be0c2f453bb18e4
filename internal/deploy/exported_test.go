package deploy_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"rappel/internal/queue"
	"rappel/internal/testenv"
)

// ours are the metrics that internal/app makes, each with its labels.
func ours(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(path.Join(root, "internal/app/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) > 0 {
				metricOf(call, found)
			}
			return true
		})
	}
	return found
}

// metricOf notes the metric that a call makes, if it makes one: its options
// come first, its labels after them or among them.
func metricOf(call *ast.CallExpr, found map[string][]string) {
	options, ok := call.Args[0].(*ast.CompositeLit)
	if !ok {
		return
	}
	sort, ok := options.Type.(*ast.SelectorExpr)
	if !ok || !strings.HasSuffix(sort.Sel.Name, "Opts") {
		return
	}
	name, labels := "", []string{}
	for _, element := range options.Elts {
		field, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		switch field.Key.(*ast.Ident).Name {
		case "Name":
			name = literals(field.Value)[0]
		case "ConstLabels":
			for _, label := range field.Value.(*ast.CompositeLit).Elts {
				labels = append(labels, literals(label.(*ast.KeyValueExpr).Key)...)
			}
		}
	}
	if name == "" {
		return
	}
	for _, more := range call.Args[1:] {
		if list, ok := more.(*ast.CompositeLit); ok {
			labels = append(labels, literals(list)...)
		}
	}
	found[name] = labels
	if sort.Sel.Name == "HistogramOpts" {
		found[name+"_bucket"] = append(slices.Clone(labels), "le")
		found[name+"_sum"], found[name+"_count"] = labels, labels
	}
}

// literals are the texts that stand in an expression.
func literals(e ast.Expr) (all []string) {
	ast.Inspect(e, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				all = append(all, text)
			}
		}
		return true
	})
	return all
}

// ofLibraries are the metrics of others that are registered beside ours, as
// they come out.
func ofLibraries(t *testing.T) map[string][]string {
	t.Helper()
	opt, err := queue.ParseRedis(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	r, err := queue.Connect(opt)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := asynq.NewClientFromRedisClient(r).EnqueueContext(context.WithoutCancel(t.Context()), asynq.NewTask("a:b", nil)); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(queue.NewMetrics(r), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{"ALERTS": {"alertname", "alertstate"}}
	for _, family := range families {
		labels := []string{}
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, label.GetName())
		}
		found[family.GetName()] = labels
	}
	return found
}

// exported are all metrics that there are.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	all := ofLibraries(t)
	maps.Copy(all, ours(t))
	return all
}

// A query is what a PromQL expression asks for.
type query struct {
	metrics map[string][]string // each with the labels that it is picked by
	by      []string            // the labels of the answer
}

// readQuery takes an expression apart, as far as these tests need. That it is PromQL
// at all, promtool tells.
func readQuery(expr string) query {
	q := query{metrics: map[string][]string{}}
	expr = regexp.MustCompile(`\[[^\]]*\]`).ReplaceAllString(expr, "")
	grouping := regexp.MustCompile(`\b(by|without|on|ignoring)\s*\(([^)]*)\)`)
	for _, m := range grouping.FindAllStringSubmatch(expr, -1) {
		q.by = append(q.by, regexp.MustCompile(`\w+`).FindAllString(m[2], -1)...)
	}
	expr = grouping.ReplaceAllString(expr, "")
	for _, m := range regexp.MustCompile(`([a-zA-Z_]\w*)\s*(\{[^}]*\}|\()?`).FindAllStringSubmatch(expr, -1) {
		if m[2] == "(" || slices.Contains([]string{"and", "or", "unless", "offset", "bool"}, m[1]) {
			continue
		}
		labels := []string{}
		for _, l := range regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)`).FindAllStringSubmatch(m[2], -1) {
			labels = append(labels, l[1])
		}
		q.metrics[m[1]] = append(q.metrics[m[1]], labels...)
	}
	return q
}

// expectQuery fails the test where an expression asks for what there is not, or
// shows a label that its answer does not have.
func expectQuery(t *testing.T, there map[string][]string, expr string, shown []string) {
	t.Helper()
	q := readQuery(expr)
	if len(q.metrics) == 0 {
		t.Errorf("no metric in %s", expr)
	}
	groups := []string{"instance", "job"} // Prometheus's own
	for metric, labels := range q.metrics {
		has, ok := there[metric]
		if !ok {
			t.Errorf("there is no metric %s, of %s", metric, expr)
		}
		groups = append(groups, has...)
		for _, label := range labels {
			if !slices.Contains(has, label) && label != "job" {
				t.Errorf("%s has no label %s, of %s", metric, label, expr)
			}
		}
	}
	for _, label := range q.by {
		if !slices.Contains(groups, label) {
			t.Errorf("nothing has a label %s to group by, of %s", label, expr)
		}
	}
	for _, label := range shown {
		if !slices.Contains(q.by, label) {
			t.Errorf("the answer has no label %s, of %s", label, expr)
		}
	}
}

func TestTheGuideExplainsTheMetricsThatThereAre(t *testing.T) {
	t.Parallel()
	explained := map[string]bool{}
	row := regexp.MustCompile("^\\| `([a-z_]+)` \\|([^|]*)\\|")
	there := exported(t)
	for line := range strings.Lines(table(t, "OPERATIONS.md", "metrics")) {
		m := row.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		explained[m[1]] = true
		labels, ok := there[m[1]]
		if !ok {
			t.Errorf("OPERATIONS.md explains %s, which there is not", m[1])
		}
		said := names("`([a-z_]+)`", m[2])
		if slices.Sort(labels); !slices.Equal(said, labels) {
			t.Errorf("OPERATIONS.md gives %s the labels %v; it has %v", m[1], said, labels)
		}
	}
	for name := range there {
		base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		if !explained[base] && (strings.HasPrefix(name, "rappel_") || strings.HasPrefix(name, "asynq_")) {
			t.Errorf("OPERATIONS.md does not explain %s", name)
		}
	}
}
