package postgres_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestEachRightThatIsMissingIsNamedWithItsRemedy takes rights from a worker one
// by one, and gives each back by the statement that the check names.
func TestEachRightThatIsMissingIsNamedWithItsRemedy(t *testing.T) {
	t.Parallel()
	g := newGranted(t, "")
	rights := func() []string {
		t.Helper()
		return worked(g.worker.MissingRights(t.Context()))(g, "ask for rights")
	}
	if wrong := rights(); len(wrong) > 0 {
		t.Fatalf("with all rights: %q", wrong)
	}
	file, err := os.ReadFile("grants.sql")
	if err != nil {
		t.Fatal(err)
	}
	tables := regexp.MustCompile(`\('(\w+)', +'rappel_worker', +'(.*?)'\)`).FindAllStringSubmatch(string(file), -1)
	if len(tables) != 16 {
		t.Fatalf("%d tables", len(tables))
	}
	for _, of := range tables {
		for right := range strings.SplitSeq(of[2], ", ") {
			g.exec("REVOKE " + right + " ON rappel." + of[1] + " FROM rappel_worker")
			wrong := rights()
			want := "GRANT " + right + " ON rappel." + of[1] + " TO worker"
			if len(wrong) != 1 || !strings.HasSuffix(wrong[0], want) {
				t.Fatalf("without %s on %s: %q", right, of[1], wrong)
			}
			g.exec(want)
			if wrong := rights(); len(wrong) > 0 {
				t.Fatalf("after %s: %q", want, wrong)
			}
		}
	}
	g.exec("REVOKE USAGE ON SCHEMA rappel FROM rappel_worker")
	if wrong := rights(); len(wrong) != 1 || !strings.HasSuffix(wrong[0], ": GRANT USAGE ON SCHEMA rappel TO worker") {
		t.Errorf("without the schema: %q", wrong)
	}
}

func TestAViewWhoseOwnerMayNotReadIsNamed(t *testing.T) {
	t.Parallel()
	g := newGranted(t, "")
	g.exec(`CREATE ROLE "view's owner"`)
	g.exec(`ALTER TABLE rappel.practitioners RENAME TO people; CREATE VIEW rappel.practitioners AS SELECT * FROM rappel.people;
		ALTER VIEW rappel.practitioners OWNER TO "view's owner"; GRANT USAGE ON SCHEMA rappel TO "view's owner"; GRANT SELECT ON rappel.practitioners TO rappel_worker`)
	wrong, err := g.worker.MissingRights(t.Context())
	if err != nil || len(wrong) != 1 ||
		!strings.HasPrefix(wrong[0], "worker cannot read rappel.practitioners: permission denied for table people: ") ||
		!strings.HasSuffix(wrong[0], "to the view's owner") {
		t.Errorf("%q, %v", wrong, err)
	}
}
