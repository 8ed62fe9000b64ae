package cli

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/engine"
)

// definedKey is a key of a configuration that a component or the language defines.
type definedKey struct {
	name string
	pos  diag.Pos
}

// definedKeys lists the keys of a file with three letters or more: those of components, and the sections.
func definedKeys(t *testing.T, file string) []definedKey {
	t.Helper()
	c, problems := config.Compose(file)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	var keys []definedKey
	seen := map[diag.Pos]bool{}
	var walk func(n *config.Node, depth int)
	walk = func(n *config.Node, depth int) {
		for _, item := range n.Items {
			walk(item, depth+1)
		}
		_, component := n.Target()
		for _, p := range n.Pairs {
			defined := component || depth == 0 && slices.Contains(config.Sections, p.Key)
			if defined && len(strings.Trim(p.Key, "_")) >= 3 && p.KeyPos.Source == file && !seen[p.KeyPos] {
				seen[p.KeyPos] = true
				keys = append(keys, definedKey{p.Key, p.KeyPos})
			}
			walk(p.Value, depth+1)
		}
	}
	walk(c.Root, 0)
	return keys
}

// slipsOf are the names with one letter deleted, one substituted or two neighbours swapped, at every letter.
func slipsOf(name string) []string {
	var slips []string
	add := func(s string) {
		if s != name && !slices.Contains(slips, s) {
			slips = append(slips, s)
		}
	}
	for i := range len(name) {
		add(name[:i] + name[i+1:])
		add(name[:i] + "q" + name[i+1:])
		if i+1 < len(name) {
			add(name[:i] + name[i+1:i+2] + name[i:i+1] + name[i+2:])
		}
	}
	return slips
}

// TestMisspeltKeys misspells every key of configs/ that a component or the language defines: it is rejected, and the first
// suggestion is the right key, in at least 95 % of the cases. LIGHTER_SOAK asks for every slip of a key, not one of them.
func TestMisspeltKeys(t *testing.T) {
	files, err := filepath.Glob("../configs/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no configurations", err)
	}
	cases, right := 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(text), "\n")
		slip := filepath.Join(t.TempDir(), filepath.Base(file))
		for _, key := range definedKeys(t, file) {
			slips := slipsOf(key.name)
			if os.Getenv("LIGHTER_SOAK") == "" {
				i := (key.pos.Line*7 + key.pos.Col) % len(slips) // another kind of slip for every key
				slips = slips[i : i+1]
			}
			for _, wrong := range slips {
				changed := slices.Clone(lines)
				line, at := []rune(lines[key.pos.Line-1]), key.pos.Col-1
				changed[key.pos.Line-1] = string(line[:at]) + wrong + string(line[at+len(key.name):])
				if err := os.WriteFile(slip, []byte(strings.Join(changed, "")), 0o600); err != nil {
					t.Fatal(err)
				}
				cases++
				_, _, err := engine.Check([]any{slip}, engine.Options{})
				if got := firstSuggestion(err); lastKey(got) == key.name {
					right++
				} else {
					t.Logf("%s:%d: %q for %q: suggested %q: %v", file, key.pos.Line, wrong, key.name, got, err)
				}
			}
		}
	}
	share := float64(right) / float64(max(cases, 1))
	t.Logf("the right key is suggested first for %d of %d misspelt ones, %.1f %%", right, cases, 100*share)
	if share < 0.95 || cases == 0 {
		t.Errorf("the right key is suggested first for %.1f %% of %d misspelt ones, want 95 %%", 100*share, cases)
	}
}

// firstSuggestion is the name that the first problem suggests, "" when it suggests none.
func firstSuggestion(err error) string {
	var c *engine.ConfigError
	if !errors.As(err, &c) {
		return ""
	}
	i := slices.IndexFunc(c.Problems, func(p diag.Diagnostic) bool { return p.Severity == diag.Error })
	rest, ok := strings.CutPrefix(c.Problems[i].Hint, `did you mean "`)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, `"`)
	return name
}

func lastKey(path string) string { return path[strings.LastIndex(path, ":")+1:] }
