package archtest_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestHouse(t *testing.T) {
	t.Parallel()
	house := os.DirFS("../..")
	pkgs, err := load(house)
	if err != nil {
		t.Fatal(err)
	}
	if len(pkgs) < 5 {
		t.Fatalf("only %d packages found; is this the module's root?", len(pkgs))
	}
	for _, breach := range slices.Concat(breachesOf(pkgs), breachesAtTheTop(t, house)) {
		t.Error(breach)
	}
}

// breachesOf returns one sentence for each breach of a rule, in order.
func breachesOf(pkgs map[string]*pkg) []string {
	var found []string
	for _, dir := range slices.Sorted(maps.Keys(pkgs)) {
		p := pkgs[dir]
		found = append(found, p.wrongImports()...)
		found = append(found, p.wrongUses()...)
		found = append(found, p.wrongWords()...)
	}
	return found
}

func (p *pkg) wrongImports() (found []string) {
	allowed, ok := mayImport()[p.dir]
	if !ok {
		return []string{fmt.Sprintf("%s has no row in mayImport; say there what it may import", p.dir)}
	}
	if slices.Contains(allowed, anything) {
		return nil
	}
	for _, imported := range slices.Sorted(maps.Keys(p.imports)) {
		if !standard(imported) && !slices.ContainsFunc(allowed, covers(imported)) {
			found = append(found, fmt.Sprintf("%s must not import %s; it may import %s",
				p.dir, imported, orNothing(allowed)))
		}
	}
	return found
}

func (p *pkg) wrongUses() (found []string) {
	for _, thing := range slices.Sorted(maps.Keys(keptTo())) {
		users := keptTo()[thing]
		if (p.uses[thing] || p.imports[thing]) && !slices.Contains(users, p.dir) {
			found = append(found, fmt.Sprintf("%s must not use %s; that is kept to %s",
				p.dir, thing, strings.Join(users, ", ")))
		}
	}
	return found
}

func (p *pkg) wrongWords() (found []string) {
	opening := "Package " + p.name + " "
	if p.name == "main" {
		opening = "Command " + path.Base(p.dir) + " "
	}
	if !strings.HasPrefix(strings.ReplaceAll(p.doc, "\n", " "), opening) {
		found = append(found, fmt.Sprintf("%s has no comment that begins with %q: what it is for, and what it deliberately does not know",
			p.dir, opening))
	}
	if slices.Contains(noNames(), p.name) {
		found = append(found, fmt.Sprintf("%s is called %s, which says nothing or is taken: call it after what it holds",
			p.dir, p.name))
	}
	return found
}

func breachesAtTheTop(t *testing.T, house fs.FS) (found []string) {
	t.Helper()
	entries, err := fs.ReadDir(house, ".")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			folders = append(folders, e.Name())
		}
	}
	if !slices.Equal(folders, topFolders()) {
		found = append(found, fmt.Sprintf("the folders at the top are %s; they are to be exactly %s",
			strings.Join(folders, ", "), strings.Join(topFolders(), ", ")))
	}
	return found
}

// standard reports whether a path is of the standard library: no dot in its
// first word, and not ours.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".") && first != module && !slices.Contains(topFolders(), first)
}

// covers returns whether a row's entry allows an import: one of ours allows
// itself, one of others also what is below it.
func covers(imported string) func(entry string) bool {
	return func(entry string) bool {
		first, _, _ := strings.Cut(entry, "/")
		return imported == entry || strings.Contains(first, ".") && strings.HasPrefix(imported, entry+"/")
	}
}

func orNothing(allowed []string) string {
	if len(allowed) == 0 {
		return "the standard library only"
	}
	return strings.Join(allowed, ", ")
}

// A test that finds nothing wrong may have looked at nothing.
func TestEachBreachIsSeen(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ file, source, want string }{
		"a rule that knows the store": {
			"recipients/x.go", "// Package recipients x.\npackage recipients\nimport _ \"rappel/internal/postgres\"",
			"recipients must not import internal/postgres; it may",
		},
		"a job that knows a way out": {
			"jobs/deliver/x.go", "// Package deliver x.\npackage deliver\nimport _ \"rappel/internal/admin\"",
			"jobs/deliver must not import internal/admin; it may",
		},
		"a package of ours is not what is below it": {
			"internal/queue/x.go", "// Package queue x.\npackage queue\nimport _ \"rappel/jobs/deliver\"",
			"internal/queue must not import jobs/deliver; it may",
		},
		"SQL outside the store": {
			"internal/admin/x.go", "// Package admin x.\npackage admin\nimport _ \"github.com/jackc/pgx/v5/pgxpool\"",
			"internal/admin must not import github.com/jackc/pgx/v5/pgxpool; it may",
		},
		"a test's tool in the product": {
			"internal/dev/x.go", "// Package dev x.\npackage dev\nimport _ \"rappel/internal/testenv\"",
			"internal/dev must not import internal/testenv; it may",
		},
		"the environment outside the configuration": {
			"internal/ops/x.go", "// Package ops x.\npackage ops\nimport \"os\"\nvar x = os.Getenv(\"X\")",
			"internal/ops must not use os.Getenv; that is kept to",
		},
		"a clock under another name, handed on and not called": {
			"recipients/x.go", "// Package recipients x.\npackage recipients\nimport clock \"time\"\nvar now = clock.Now",
			"recipients must not use time.Now; that is kept to",
		},
		"a network in a rule": {
			"templates/x.go", "// Package templates x.\npackage templates\nimport _ \"net/http\"",
			"templates must not use net/http; that is kept to",
		},
		"a package that nobody has decided on": {
			"internal/sms/x.go", "// Package sms x.\npackage sms",
			"internal/sms has no row in mayImport",
		},
		"a package without a comment": {
			"jobs/x.go", "package jobs",
			`jobs has no comment that begins with "Package jobs "`,
		},
		"a command with a package's comment": {
			"cmd/rappel/x.go", "// Package main x.\npackage main",
			`cmd/rappel has no comment that begins with "Command rappel "`,
		},
		"a name that says nothing": {
			"jobs/x.go", "// Package util x.\npackage util",
			"jobs is called util",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pkgs, err := load(fstest.MapFS{tc.file: {Data: []byte(tc.source)}})
			if err != nil {
				t.Fatal(err)
			}
			got := breachesOf(pkgs)
			if len(got) != 1 || !strings.HasPrefix(got[0], tc.want) {
				t.Errorf("breaches: %q; want one that begins with %q", got, tc.want)
			}
		})
	}
}

func TestAnotherFolderAtTheTopIsSeen(t *testing.T) {
	t.Parallel()
	house := fstest.MapFS{"extra/x.md": {}}
	for _, dir := range topFolders() {
		house[dir+"/x.go"] = &fstest.MapFile{}
	}
	if got := breachesAtTheTop(t, house); len(got) != 1 {
		t.Errorf("breaches: %q; want one", got)
	}
	delete(house, "extra/x.md")
	house[".ci/run"] = &fstest.MapFile{}
	if got := breachesAtTheTop(t, house); len(got) != 0 {
		t.Errorf("breaches: %q; want none", got)
	}
}
