package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// TestConformance runs the cases in testdata/conformance. A case is a folder of configurations with cmd.txt, one command a
// line, and expect.txt, one expectation a line. The commands run in order in a fresh copy of the folder, beside the
// files of _shared. $LIGHTER is the program, $MODEL gives a configuration that names its own step the default one.
//
//	exit: 0, nonzero, 2                 the exit code of each command
//	output: text                        the output of all commands contains the text, whatever its quotes and line breaks
//	no_output: text                     the opposite
//	exists: path                        the path is there after the last command
//	absent: path                        the opposite
//	files: dir | a, b                   the names in a folder, all of them
//	yaml: file | a/b/0 | value          the value at a path of a YAML file, of the same type
//	yaml_absent: file | a/b             nothing is at that path
//	columns: file | c1, c2              the header of a CSV file has the columns
//	no_column: file | c                 the opposite
//	values: file | c | 1, 2             the non-empty cells of a column, as numbers
//	table: file | h1,h2; 1,x; 2,y       a whole CSV file; a list of one element is that element
func TestConformance(t *testing.T) {
	cases, err := filepath.Glob("testdata/conformance/[^_]*")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, dir := range cases {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			o := outcome{dir: t.TempDir()}
			for _, from := range []string{"testdata/conformance/_shared", dir} {
				if err := copyFiles(o.dir, from); err != nil {
					t.Fatal(err)
				}
			}
			for _, line := range lines(t, filepath.Join(dir, "cmd.txt")) {
				if err := o.run(line); err != nil {
					t.Fatal(err)
				}
			}
			for _, line := range lines(t, filepath.Join(dir, "expect.txt")) {
				if err := o.check(line); err != nil {
					t.Errorf("%s\n    %v", line, err)
				}
			}
			if t.Failed() {
				t.Logf("the output ends with\n%s", o.transcript[max(0, len(o.transcript)-2000):])
			}
		})
	}
}

// copyFiles copies the files of a folder into another, over those of the same name.
func copyFiles(to, from string) error {
	entries, err := os.ReadDir(from)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, e.Name()), b, 0o666); err != nil {
			return err
		}
	}
	return err
}

// lines is what a file has besides comments and empty lines.
func lines(t *testing.T, path string) (all []string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			all = append(all, line)
		}
	}
	if len(all) == 0 {
		t.Fatalf("nothing in %s", path)
	}
	return all
}

// words splits a command as a shell does that knows quotes, and the variables of the cases where they are whole words.
func words(line string) (all []string) {
	var word []rune
	var quote rune
	inside := false
	for _, r := range line + "\n" {
		switch {
		case r == quote:
			quote = 0
		case quote != 0:
			word = append(word, r)
		case r == '\'' || r == '"':
			quote, inside = r, true
		case !unicode.IsSpace(r):
			word, inside = append(word, r), true
		case inside:
			all = append(all, string(word))
			word, inside = nil, false
		}
	}
	for i, w := range all {
		switch w {
		case "$LIGHTER":
			all[i] = "lighter"
		case "$MODEL":
			all[i] = "model::_target_=lighter.LighterModule"
		}
	}
	return all
}

// outcome is what the commands of a case left.
type outcome struct {
	dir        string
	codes      []int
	output     string
	transcript string // the commands and the output
}

// run runs a command; [TestMain] put this test binary in the PATH as lighter.
func (o *outcome) run(line string) error {
	args := words(line)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = o.dir
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1")
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	o.codes = append(o.codes, cmd.ProcessState.ExitCode())
	o.output += string(out)
	o.transcript += line + "\n" + string(out)
	return nil
}
