package deploy_test

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rappel/internal/config"
)

// root is the module's.
const root = "../.."

// instructions are those of the Dockerfile, with continued lines joined.
func instructions(t *testing.T) (all [][2]string) {
	t.Helper()
	file, err := os.ReadFile(path.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	joined := strings.ReplaceAll(string(file), "\\\n", "")
	for line := range strings.Lines(joined) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		all = append(all, [2]string{word, rest})
	}
	return all
}

// last is the last instruction of a kind: that of the image itself.
func last(t *testing.T, word string) string {
	t.Helper()
	for _, in := range slices.Backward(instructions(t)) {
		if in[0] == word {
			return in[1]
		}
	}
	t.Fatalf("the Dockerfile has no %s", word)
	return ""
}

func TestTheImageHoldsAStaticBinaryAndNoShell(t *testing.T) {
	t.Parallel()
	if from := last(t, "FROM"); from != "scratch" {
		t.Errorf("the image is made from %s", from)
	}
	if user := last(t, "USER"); !regexp.MustCompile(`^[1-9][0-9]*:[1-9][0-9]*$`).MatchString(user) {
		t.Errorf("it runs as %s: Kubernetes must see that it is not root", user)
	}
	for word, want := range map[string]string{
		"ENTRYPOINT":  `["/rappel"]`,
		"CMD":         `["run"]`,
		"HEALTHCHECK": `CMD ["/rappel", "check", "--alive"]`,
	} {
		if got := last(t, word); !strings.HasSuffix(got, want) {
			t.Errorf("%s %s: without a shell it must end with %s", word, got, want)
		}
	}
	built := false
	for _, in := range instructions(t) {
		built = built || in[0] == "RUN" && strings.Contains(in[1], "CGO_ENABLED=0 go build")
		if in[0] == "FROM" && (strings.HasSuffix(in[1], ":latest") || (in[1] != "scratch" && !strings.Contains(in[1], ":"))) {
			t.Errorf("FROM %s: which is that?", in[1])
		}
		if in[0] == "ENV" {
			t.Errorf("ENV %s: the configuration is the operator's", in[1])
		}
	}
	if !built {
		t.Error("no static binary is built")
	}
}

// TestTheImageIsMadeFromWhatGoesToTheEngine compares the Dockerfile with
// .dockerignore, and with go.mod.
func TestTheImageIsMadeFromWhatGoesToTheEngine(t *testing.T) {
	t.Parallel()
	ignore, err := os.ReadFile(path.Join(root, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range instructions(t) {
		if in[0] != "COPY" || strings.HasPrefix(in[1], "--from") {
			continue
		}
		words := strings.Fields(in[1])
		for _, source := range words[:len(words)-1] {
			if !strings.Contains(string(ignore), "\n!"+source+"\n") {
				t.Errorf("%s does not go to the engine", source)
			}
			if _, err := os.Stat(path.Join(root, source)); err != nil {
				t.Error(err)
			}
		}
	}
	module, err := os.ReadFile(path.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	needed := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(module))
	if from := instructions(t)[0][1]; needed == nil || !strings.HasPrefix(from, "golang:"+needed[1]+"-") {
		t.Errorf("it is built with %s, and go.mod says %v", from, needed)
	}
}

func TestComposeStartsWhatTheProgramNeeds(t *testing.T) {
	t.Parallel()
	compose := documents(t, path.Join(root, "compose.yaml"))[0]
	service := compose.at("services/rappel")
	env := map[string]string{}
	vars := service.at("environment")
	for _, name := range vars.keys() {
		if !slices.Contains(variables(), name) {
			t.Errorf("there is no variable %s", name)
		}
		env[name] = regexp.MustCompile(`\$\{[^}]*\}`).ReplaceAllString(vars.at(name).text(), "https://example.com")
	}
	env["DATABASE_URL"] = "postgres://a@b/c"
	cfg, err := config.Load(func(name string) string { return env[name] }, config.Database|config.Redis|config.Delivery|config.Listen)
	if err != nil {
		t.Fatal(err)
	}
	grace, err := time.ParseDuration(service.at("stop_grace_period").text())
	if err != nil || grace <= cfg.ShutdownTimeout {
		t.Errorf("it is killed after %s, while work in hand may take %s: %v", grace, cfg.ShutdownTimeout, err)
	}
	if service.at("depends_on/migrate/condition").text() != "service_completed_successfully" || compose.at("services/migrate/command").list()[0].text() != "migrate" {
		t.Error("it starts on an older schema")
	}
	var redis []string
	for _, word := range compose.at("services/redis/command").list() {
		redis = append(redis, word.text())
	}
	if !strings.Contains(strings.Join(redis, " "), "--maxmemory-policy noeviction") {
		t.Errorf("redis runs %v: it would drop tasks", redis)
	}
	for _, name := range compose.at("services").keys() {
		s := compose.at("services/" + name)
		if image := s.at("image").text(); strings.HasSuffix(image, ":latest") || !strings.Contains(image, ":") {
			t.Errorf("%s runs %q: which is that?", name, image)
		}
		if s.at("healthcheck").value == nil && name != "rappel" { // rappel's own is in its image
			t.Errorf("nobody asks %s how it is", name)
		}
	}
	if service.at("read_only").value != true || service.at("cap_drop").list()[0].text() != "ALL" {
		t.Error("it has more rights than it needs")
	}
}
