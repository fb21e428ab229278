package housetest

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"gopkg.in/yaml.v3"
)

// program is the built binary, asked for what it knows.
type program struct{ path string }

var (
	buildOnce sync.Once
	built     string
	buildErr  string
)

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(filepath.Dir(built))
	}
	os.Exit(code)
}

// candor builds the program once for all tests.
func candor(t *testing.T) program {
	t.Helper()
	buildOnce.Do(func() {
		dir, err := os.MkdirTemp("", "housetest-")
		if err != nil {
			buildErr = err.Error()
			return
		}
		built = filepath.Join(dir, "candor")
		args := []string{"build", "-buildvcs=false", "-o", built}
		if raceEnabled { // as the tests themselves, so that all that is compiled is shared
			args = append(args, "-race")
		}
		cmd := exec.Command("go", append(args, "./cmd/candor")...)
		cmd.Dir = root(t)
		if out, err := cmd.CombinedOutput(); err != nil {
			buildErr = err.Error() + "\n" + string(out)
		}
	})
	if buildErr != "" {
		t.Fatalf("build the program: %s", buildErr)
	}
	return program{built}
}

// helps keeps what the program said, by command.
var helps = map[string]string{}

// help is what the program says of a command, or of itself without one.
func (p program) help(t *testing.T, command ...string) string {
	t.Helper()
	key := strings.Join(command, " ")
	if text, ok := helps[key]; ok {
		return text
	}
	out, err := exec.Command(p.path, append(command, "--help")...).Output()
	if err != nil {
		t.Fatalf("candor %s --help: %v", key, err)
	}
	helps[key] = string(out)
	return helps[key]
}

var (
	commandLine  = regexp.MustCompile(`(?m)^  ([a-z]+)(?: ([a-z]+))?(?: |$)`)
	flagName     = regexp.MustCompile(`--([a-z][a-z0-9-]*)`)
	variableName = regexp.MustCompile(`\$(CANDOR_[A-Z_]+)`)
)

// commands lists what `candor --help` offers, subcommands as "source add".
func (p program) commands(t *testing.T) []string {
	t.Helper()
	var out []string
	_, text, _ := strings.Cut(p.help(t), "Commands:")
	for _, m := range commandLine.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
		if m[2] != "" {
			out = append(out, m[1]+" "+m[2])
		}
	}
	if !slices.Contains(out, "serve") {
		t.Fatalf("candor --help lists %v", out)
	}
	return out
}

// flags lists a command's flags without their dashes.
func (p program) flags(t *testing.T, command ...string) []string {
	return firsts(flagName, p.help(t, command...))
}

// variables lists the environment variables a command reads.
func (p program) variables(t *testing.T, command ...string) []string {
	return firsts(variableName, p.help(t, command...))
}

// allVariables lists the environment variables of every command.
func (p program) allVariables(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, c := range p.commands(t) {
		out = append(out, p.variables(t, strings.Fields(c)...)...)
	}
	return out
}

func firsts(re *regexp.Regexp, text string) []string {
	var out []string
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// checkCall fails unless a call of the program names a command and flags it has.
func (p program) checkCall(t *testing.T, where string, words []string) (command []string) {
	t.Helper()
	known := p.commands(t)
	for n := min(2, len(words)); n > 0; n-- {
		if slices.Contains(known, strings.Join(words[:n], " ")) {
			command = words[:n]
			break
		}
	}
	if command == nil {
		t.Errorf("%s calls `candor %s`, which is no command of the program", where, strings.Join(words, " "))
		return nil
	}
	flags := p.flags(t, command...)
	for _, w := range words[len(command):] {
		name, ok := strings.CutPrefix(w, "--")
		if name, _, _ = strings.Cut(name, "="); ok && !slices.Contains(flags, name) {
			t.Errorf("%s gives --%s to `candor %s`, which has no such flag", where, name, strings.Join(command, " "))
		}
	}
	return command
}

// compose is what we read of docker-compose.yml.
type compose struct {
	Services map[string]struct {
		Image       string
		Build       any
		Command     []string
		Environment map[string]string
		User        string
		Secrets     []string
		Healthcheck *struct{ Test []string }
		Volumes     []string
		ReadOnly    bool     `yaml:"read_only"`
		CapDrop     []string `yaml:"cap_drop"`
	}
	Secrets map[string]struct{ File string }
	Volumes map[string]any
}

func loadCompose(t *testing.T) compose {
	t.Helper()
	var c compose
	if err := yaml.Unmarshal([]byte(read(t, "docker-compose.yml")), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// ours tells services that run candor from the servers beside it.
func ours(image string) bool { return strings.HasPrefix(image, "candor:") }

func TestComposeRunsEveryPart(t *testing.T) {
	c := loadCompose(t)
	images := ""
	for _, s := range c.Services {
		images += " " + s.Image
	}
	for _, part := range []string{"portal", "worker", "postgres", "meilisearch", "s3"} {
		if _, ok := c.Services[part]; !ok {
			t.Errorf("docker-compose.yml has no service %s", part)
		}
	}
	for _, image := range []string{"candor:", "postgres:", "meilisearch:", "versitygw:"} {
		if !strings.Contains(images, image) {
			t.Errorf("no service runs an image %s", image)
		}
	}
}

func TestComposeSpeaksOnlyOfWhatTheProgramKnows(t *testing.T) {
	p := candor(t)
	for name, s := range loadCompose(t).Services {
		if !ours(s.Image) {
			continue
		}
		command := p.checkCall(t, "service "+name, s.Command)
		if command == nil {
			continue
		}
		known := p.variables(t, command...)
		for variable := range s.Environment {
			if !slices.Contains(known, strings.TrimSuffix(variable, "_FILE")) {
				t.Errorf("service %s sets %s, which `candor %s` does not read", name, variable, strings.Join(command, " "))
			}
		}
		if s.Healthcheck != nil && len(s.Healthcheck.Test) > 2 {
			if s.Healthcheck.Test[0] != "CMD" || s.Healthcheck.Test[1] != "candor" {
				t.Errorf("service %s is checked by %v, not by the program itself", name, s.Healthcheck.Test)
				continue
			}
			p.checkCall(t, "the health check of "+name, s.Healthcheck.Test[2:])
		}
	}
}

func TestComposeKeepsSecretsInFiles(t *testing.T) {
	c := loadCompose(t)
	for name, s := range c.Services {
		for variable, value := range s.Environment {
			path, ok := strings.CutPrefix(value, "/run/secrets/")
			if ok && !slices.Contains(s.Secrets, path) {
				t.Errorf("service %s points %s at the secret %s, which it is not given", name, variable, path)
			}
			secret := strings.Contains(variable, "PASSWORD") || strings.Contains(variable, "KEY") ||
				variable == "CANDOR_DATABASE" || variable == "CANDOR_OBJECTS"
			if secret && !ok {
				t.Errorf("service %s has the secret %s in plain sight", name, variable)
			}
		}
		for _, secret := range s.Secrets {
			if _, ok := c.Secrets[secret]; !ok {
				t.Errorf("service %s wants the secret %s, which is not declared", name, secret)
			}
		}
	}
	script := read(t, ".ci/secrets")
	for name, s := range c.Secrets {
		if s.File != "./secrets/"+name {
			t.Errorf("secret %s comes from %q, want ./secrets/%s", name, s.File, name)
		}
		if !strings.Contains(script, "keep "+name+" ") {
			t.Errorf(".ci/secrets does not make the secret %s", name)
		}
	}
}

func TestEveryServiceIsWatchedAndConfined(t *testing.T) {
	c := loadCompose(t)
	for name, s := range c.Services {
		if s.Healthcheck == nil || len(s.Healthcheck.Test) < 2 {
			t.Errorf("service %s has no health check", name)
		}
		if !s.ReadOnly || !slices.Contains(s.CapDrop, "ALL") {
			t.Errorf("service %s can write to its own image or keeps capabilities", name)
		}
		for _, v := range s.Volumes {
			volume, _, _ := strings.Cut(v, ":")
			if _, ok := c.Volumes[volume]; !ok {
				t.Errorf("service %s mounts %s, which is no named volume", name, volume)
			}
		}
	}
}

// pinned matches an image name with a full version.
var pinned = regexp.MustCompile(`^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?(@sha256:[0-9a-f]{64})?$`)

func TestImagesArePinned(t *testing.T) {
	c := loadCompose(t)
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		if s := c.Services[name]; !ours(s.Image) && !pinned.MatchString(s.Image) {
			t.Errorf("service %s runs %q, which names no version", name, s.Image)
		} else if ours(s.Image) && s.Build == nil {
			t.Errorf("service %s runs our image but cannot build it", name)
		}
	}
	stages := map[string]bool{}
	for _, line := range dockerfile(t) {
		if words := strings.Fields(line); words[0] == "FROM" {
			if !stages[words[1]] && !pinned.MatchString(words[1]) {
				t.Errorf("Dockerfile starts from %q, which names no version", words[1])
			}
			if len(words) == 4 {
				stages[words[3]] = true
			}
		}
	}
	for image, want := range map[string]bool{"postgres": false, "postgres:latest": false, "postgres:15": false,
		"postgres:15.18-bookworm": true, "versity/versitygw:v1.8.0": true} {
		if pinned.MatchString(image) != want {
			t.Errorf("%s counts as pinned: %v", image, !want)
		}
	}
}

// dockerfile gives its instructions, one a line.
func dockerfile(t *testing.T) []string {
	t.Helper()
	var out []string
	text := strings.ReplaceAll(read(t, "Dockerfile"), "\\\n", " ")
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

func TestDockerfileSpeaksOnlyOfWhatTheProgramKnows(t *testing.T) {
	p := candor(t)
	user := ""
	variables := p.allVariables(t)
	for _, line := range dockerfile(t) {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "USER":
			user = rest
		case "ENV":
			for _, pair := range strings.Fields(rest) {
				name, _, _ := strings.Cut(pair, "=")
				if !slices.Contains(variables, name) {
					t.Errorf("Dockerfile sets %s, which the program does not read", name)
				}
			}
		case "CMD":
			p.checkCall(t, "Dockerfile", words(t, rest))
		case "HEALTHCHECK":
			_, call, _ := strings.Cut(rest, "CMD ")
			if call := words(t, call); call[0] != "candor" {
				t.Errorf("Dockerfile's health check calls %v", call)
			} else {
				p.checkCall(t, "Dockerfile's health check", call[1:])
			}
		}
	}
	if user == "" || user == "root" {
		t.Error("the image runs as root")
	}
}

func words(t *testing.T, jsonList string) []string {
	t.Helper()
	var out []string
	if err := json.Unmarshal([]byte(jsonList), &out); err != nil || len(out) == 0 {
		t.Fatalf("%q is no list of words: %v", jsonList, err)
	}
	return out
}
