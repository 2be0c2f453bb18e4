package deploy_test

import (
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"rappel/internal/config"
)

// workloads are what runs pods.
func workloads(t *testing.T) map[string]node {
	t.Helper()
	found := map[string]node{}
	for name, m := range manifests(t) {
		if kind, _, _ := strings.Cut(name, " "); kind == "Deployment" || kind == "Job" {
			found[name] = m
		}
	}
	for _, want := range []string{"Deployment rappel-worker", "Deployment rappel-scheduler", "Deployment rappel-ops", "Job rappel-migrate"} {
		if found[want].value == nil {
			t.Fatalf("there is no %s", want)
		}
	}
	return found
}

// variables are names that the program reads.
func variables() (names []string) {
	for _, v := range config.Variables() {
		names = append(names, v.Name)
		if v.Secret {
			names = append(names, v.Name+"_FILE")
		}
	}
	return names
}

func isSecret(name string) bool {
	return slices.ContainsFunc(config.Variables(), func(v config.Variable) bool { return v.Name == name && v.Secret })
}

// environment is what a container is given.
func environment(t *testing.T, container node) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, from := range container.at("envFrom").list() {
		data := manifests(t)["ConfigMap "+from.at("configMapRef/name").text()].at("data")
		for _, name := range data.keys() {
			env[name] = data.at(name).text()
		}
	}
	for _, v := range container.at("env").list() {
		env[v.at("name").text()] = v.at("value").text()
	}
	return env
}

func TestEachPodIsGivenWhatTheProgramReads(t *testing.T) {
	t.Parallel()
	all := manifests(t)
	for name, w := range workloads(t) {
		pod := w.at("spec/template/spec")
		keys := map[string]bool{}
		for _, v := range pod.at("volumes").list() {
			for _, key := range all["Secret "+v.at("secret/secretName").text()].at("stringData").keys() {
				keys[key] = true
			}
		}
		for _, c := range pod.at("containers").list() {
			env := environment(t, c)
			if len(env) == 0 {
				t.Errorf("%s is given nothing", name)
			}
			for variable, value := range env {
				switch {
				case !slices.Contains(variables(), variable):
					t.Errorf("%s: there is no variable %s", name, variable)
				case isSecret(variable):
					t.Errorf("%s: %s is a secret, and stands in the manifest", name, variable)
				case strings.HasSuffix(variable, "_FILE"):
					mount := c.at("volumeMounts").list()[0].at("mountPath").text()
					if path.Dir(value) != mount || !keys[path.Base(value)] {
						t.Errorf("%s: %s names %s, which no secret mounts there", name, variable, value)
					}
				}
			}
		}
	}
}

// TestTheConfigurationOfThePodsIsOneThatLoads reads it as the program does, with
// the files of the secrets by their names alone.
func TestTheConfigurationOfThePodsIsOneThatLoads(t *testing.T) {
	t.Parallel()
	worker := workloads(t)["Deployment rappel-worker"].at("spec/template/spec/containers").list()[0]
	env := environment(t, worker)
	for _, secret := range []struct{ name, value string }{
		{"DATABASE_URL", "postgres://a@b/c"}, {"REDIS_URL", "redis://a"}, {"RAPPEL_ADMIN_TOKEN", "t"}, {"RAPPEL_OPS_TOKEN", "t"},
	} {
		delete(env, secret.name+"_FILE")
		env[secret.name] = secret.value
	}
	cfg, err := config.Load(func(name string) string { return env[name] }, config.Database|config.Redis|config.Delivery|config.Listen)
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range workloads(t) {
		grace := w.at("spec/template/spec/terminationGracePeriodSeconds").number()
		if time.Duration(grace)*time.Second <= cfg.ShutdownTimeout && strings.HasPrefix(name, "Deployment") {
			t.Errorf("%s is killed after %d s, while work in hand may take %s", name, grace, cfg.ShutdownTimeout)
		}
	}
}

func TestNoPodHasRightsThatItDoesNotNeed(t *testing.T) {
	t.Parallel()
	for name, w := range workloads(t) {
		pod := w.at("spec/template/spec")
		if pod.at("securityContext/runAsNonRoot").value != true || pod.at("securityContext/runAsUser").number() == 0 ||
			pod.at("automountServiceAccountToken").value != false {
			t.Errorf("%s may run as root, or knows the cluster", name)
		}
		for _, c := range pod.at("containers").list() {
			s := c.at("securityContext")
			if s.at("readOnlyRootFilesystem").value != true || s.at("allowPrivilegeEscalation").value != false ||
				len(s.at("capabilities/drop").list()) != 1 || s.at("capabilities/drop").list()[0].text() != "ALL" {
				t.Errorf("%s has more rights than it needs: %v", name, s)
			}
			for _, path := range []string{"resources/requests/cpu", "resources/requests/memory", "resources/limits/memory"} {
				if c.at(path).text() == "" {
					t.Errorf("%s says nothing of %s", name, path)
				}
			}
			if image := c.at("image").text(); strings.HasSuffix(image, ":latest") || !strings.Contains(path.Base(image), ":") {
				t.Errorf("%s runs %s: which is that?", name, image)
			}
		}
	}
}

func TestEachPartIsAskedWhereItAnswers(t *testing.T) {
	t.Parallel()
	for name, w := range workloads(t) {
		c := w.at("spec/template/spec/containers").list()[0]
		part := strings.TrimPrefix(w.at("metadata/name").text(), "rappel-")
		if args := c.at("args").list(); len(args) != 1 || args[0].text() != part {
			t.Errorf("%s runs %v", name, args)
		}
		if strings.HasPrefix(name, "Job") {
			continue
		}
		for probe, want := range map[string]string{"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"} {
			if got := c.at(probe + "/httpGet/path").text(); got != want {
				t.Errorf("%s: the %s asks %q", name, probe, got)
			}
			if port := c.at(probe + "/httpGet/port").text(); port != c.at("ports").list()[0].at("name").text() {
				t.Errorf("%s: the %s asks port %q", name, probe, port)
			}
		}
		if _, port, _ := strings.Cut(environment(t, c)["RAPPEL_HTTP_ADDR"], ":"); port != "8080" || c.at("ports").list()[0].at("containerPort").number() != 8080 {
			t.Errorf("%s listens at %s", name, port)
		}
	}
}

func TestOneOfEachPartStaysWhileNodesAreDrained(t *testing.T) {
	t.Parallel()
	all := manifests(t)
	for name, w := range workloads(t) {
		if strings.HasPrefix(name, "Job") {
			continue
		}
		replicas := w.at("spec/replicas").number()
		budget := all["PodDisruptionBudget "+w.at("metadata/name").text()]
		if least := budget.at("spec/minAvailable").number(); replicas < 2 || least < 1 || least >= replicas {
			t.Errorf("%s has %d, of which %d must stay", name, replicas, least)
		}
		for _, selector := range []node{w.at("spec/selector/matchLabels"), budget.at("spec/selector/matchLabels")} {
			for _, label := range []string{"app.kubernetes.io/name", "app.kubernetes.io/component"} {
				labels, _ := w.at("spec/template/metadata/labels").value.(map[string]any)
				chosen, _ := selector.value.(map[string]any)
				if chosen[label] == nil || chosen[label] != labels[label] {
					t.Errorf("%s is selected by %v", name, chosen)
				}
			}
		}
	}
}
