package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// check says how a line of expect.txt is wrong.
func (o *outcome) check(line string) error {
	kind, rest, _ := strings.Cut(line, ":")
	args := []string{strings.TrimSpace(rest)}
	if kind != "output" && kind != "no_output" {
		args = splitTrim(rest, " | ")
	}
	e, ok := expectations[kind]
	if !ok || len(args) != e.args {
		return fmt.Errorf("no expectation %q with %d parts", kind, len(args))
	}
	return e.check(o, args)
}

// expectations has the kinds of line in expect.txt, with their number of parts.
var expectations = map[string]struct {
	args  int
	check func(*outcome, []string) error
}{
	"exit":        {1, (*outcome).exit},
	"output":      {1, func(o *outcome, a []string) error { return require(o.says(a[0]), "not in the output") }},
	"no_output":   {1, func(o *outcome, a []string) error { return require(!o.says(a[0]), "is in the output") }},
	"exists":      {1, func(o *outcome, a []string) error { return require(o.has(a[0]), "missing") }},
	"absent":      {1, func(o *outcome, a []string) error { return require(!o.has(a[0]), "is there") }},
	"files":       {2, (*outcome).files},
	"yaml":        {3, (*outcome).yaml},
	"yaml_absent": {2, (*outcome).yamlAbsent},
	"columns":     {2, (*outcome).columns},
	"no_column":   {2, (*outcome).noColumn},
	"values":      {3, (*outcome).values},
	"table":       {2, (*outcome).table},
}

func require(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func splitTrim(s, sep string) []string {
	parts := strings.Split(s, sep)
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

func (o *outcome) exit(args []string) error {
	ok := slices.EqualFunc(o.codes, splitTrim(args[0], ","), func(code int, want string) bool {
		return want == strconv.Itoa(code) || want == "nonzero" && code != 0
	})
	return require(ok, "exit codes %v", o.codes)
}

var quotes = strings.NewReplacer(`"`, "'", "`", "'")

func (o *outcome) says(text string) bool {
	plain := func(s string) string { return strings.Join(strings.Fields(quotes.Replace(s)), " ") }
	return strings.Contains(plain(o.output), plain(text))
}

func (o *outcome) has(path string) bool {
	_, err := os.Stat(filepath.Join(o.dir, path))
	return err == nil
}

func (o *outcome) files(args []string) error {
	entries, err := os.ReadDir(filepath.Join(o.dir, args[0]))
	if err != nil {
		return err
	}
	have := make([]string, len(entries))
	for i, e := range entries {
		have[i] = e.Name()
	}
	want := splitTrim(args[1], ",")
	slices.Sort(want)
	return require(slices.Equal(have, want), "has %v", have)
}

// at reads the value at a path such as a/b/0 of a YAML file.
func (o *outcome) at(file, path string) (value any, found bool, err error) {
	b, err := os.ReadFile(filepath.Join(o.dir, file))
	if err != nil {
		return nil, false, err
	}
	if err := yaml.Unmarshal(b, &value); err != nil {
		return nil, false, err
	}
	for key := range strings.SplitSeq(path, "/") {
		switch node := value.(type) {
		case map[string]any:
			value, found = node[key]
		case []any:
			i, err := strconv.Atoi(key)
			if found = err == nil && 0 <= i && i < len(node); found {
				value = node[i]
			}
		default:
			found = false
		}
		if !found {
			return nil, false, nil
		}
	}
	return value, true, nil
}

func (o *outcome) yaml(args []string) error {
	var want any
	if err := yaml.Unmarshal([]byte(args[2]), &want); err != nil {
		return err
	}
	have, found, err := o.at(args[0], args[1])
	if err != nil {
		return err
	}
	if !found {
		return errors.New("nothing is there")
	}
	return require(reflect.DeepEqual(have, want), "has %#v", have)
}

func (o *outcome) yamlAbsent(args []string) error {
	have, found, err := o.at(args[0], args[1])
	if err != nil {
		return err
	}
	return require(!found, "has %#v", have)
}

// csv reads a CSV file.
func (o *outcome) csv(file string) ([][]string, error) {
	f, err := os.Open(filepath.Join(o.dir, file))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("%s is empty", file)
	}
	return rows, err
}

func (o *outcome) columns(args []string) error {
	rows, err := o.csv(args[0])
	if err != nil {
		return err
	}
	for _, want := range splitTrim(args[1], ",") {
		if !slices.Contains(rows[0], want) {
			return fmt.Errorf("no %q, has %q", want, rows[0])
		}
	}
	return nil
}

func (o *outcome) noColumn(args []string) error {
	rows, err := o.csv(args[0])
	if err != nil {
		return err
	}
	return require(!slices.Contains(rows[0], args[1]), "has %q", rows[0])
}

func (o *outcome) values(args []string) error {
	rows, err := o.csv(args[0])
	if err != nil {
		return err
	}
	i := slices.Index(rows[0], args[1])
	if i < 0 {
		return fmt.Errorf("no such column, has %q", rows[0])
	}
	var have []string
	for _, row := range rows[1:] {
		if row[i] != "" {
			have = append(have, row[i])
		}
	}
	return require(slices.EqualFunc(have, splitTrim(args[2], ","), near), "has %v", have)
}

func (o *outcome) table(args []string) error {
	have, err := o.csv(args[0])
	if err != nil {
		return err
	}
	same := func(row []string, want string) bool {
		return slices.EqualFunc(row, splitTrim(want, ","), func(cell, want string) bool {
			cell = strings.TrimSuffix(strings.TrimPrefix(cell, "["), "]")
			return cell == want || near(cell, want)
		})
	}
	return require(slices.EqualFunc(have, splitTrim(args[1], ";"), same), "has %q", have)
}

// near reports whether two texts are the same number to 1e-4.
func near(a, b string) bool {
	x, err := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return err == nil && err2 == nil && math.Abs(x-y) <= max(1e-4*max(math.Abs(x), math.Abs(y)), 1e-6)
}
