package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lighter-go/lighter/internal/engine"
)

// block is a fenced block of a page.
type block struct {
	page string // its path from here
	line int
	kind string // what stands after the fence, "yaml"
	text string
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// blocks are those of a kind in the README and in docs/.
func blocks(t *testing.T, kind string) []block {
	t.Helper()
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	for _, page := range append(pages, "../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		var open *block
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
			switch {
			case isFence && open == nil:
				open = &block{page: page, line: n + 1, kind: fence}
			case isFence:
				all, open = append(all, *open), nil
			case open != nil:
				open.text += line
			}
		}
		if open != nil {
			t.Errorf("%v: the block has no end", open)
		}
	}
	var of []block
	for _, b := range all {
		if b.kind == kind {
			of = append(of, b)
		}
	}
	return of
}

// check checks a configuration as every stage does before it builds anything.
func check(inputs ...any) error {
	_, _, err := engine.Check(inputs, engine.Options{})
	return err
}

// TestDocsYAML checks every YAML block: a whole configuration as it stands, a part of one merged into the digits'.
func TestDocsYAML(t *testing.T) {
	found := blocks(t, "yaml")
	if len(found) == 0 {
		t.Fatal("no YAML in the README and docs/")
	}
	for _, b := range found {
		file := filepath.Join(t.TempDir(), "block.yaml")
		if err := os.WriteFile(file, []byte(b.text), 0o666); err != nil {
			t.Fatal(err)
		}
		inputs := []any{file}
		ofSystem := strings.Contains("\n"+b.text, "\nsystem:") && strings.Contains(b.text, "trainer:")
		if !ofSystem && (!strings.Contains(b.text, "trainer:") || !strings.Contains(b.text, "model:") || !strings.Contains(b.text, "data:")) {
			inputs = []any{"../configs/digits.yaml", file}
		}
		if err := check(inputs...); err != nil {
			t.Errorf("%v: %v", b, err)
		}
	}
}

// TestConfigs checks every file of configs/.
func TestConfigs(t *testing.T) {
	files, err := filepath.Glob("../configs/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no configurations", err)
	}
	for _, file := range files {
		if err := check(file); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestDocsOverrides checks the inputs in the table of docs/everyday.md, with the shell's quotes taken off.
func TestDocsOverrides(t *testing.T) {
	text, err := os.ReadFile("../docs/everyday.md")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 || !strings.Contains(cells[2], "`") {
			continue
		}
		for i, input := range strings.Split(cells[2], "`") {
			if i%2 == 0 {
				continue
			}
			if q := input[0]; q == '"' || q == '\'' {
				input = strings.ReplaceAll(input[1:len(input)-1], "$lr", "0.1")
			}
			if err := check("../configs/digits.yaml", input); err != nil {
				t.Errorf("%s: %v", input, err)
			}
			checked++
		}
	}
	if checked < 10 {
		t.Errorf("only %d inputs in the table", checked)
	}
}

// TestDocsShell runs every block of "sh test" in a folder of its own with configs/.
func TestDocsShell(t *testing.T) {
	dir := t.TempDir()
	for i, b := range blocks(t, "sh test") {
		script := "# " + b.String() + "\nsymlink configs -> $CONFIGS\nexec sh -eu block.sh\n-- block.sh --\n" + b.text
		name := fmt.Sprintf("%s_%d.txtar", strings.TrimSuffix(filepath.Base(b.page), ".md"), i)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	testscript.Run(t, testscript.Params{Dir: dir, Setup: prepare})
}
