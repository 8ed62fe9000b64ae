package pytorch

import (
	"bytes"
	_ "embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/lighter-go/lighter/internal/registry"
)

// knownText has a line for each module of PyTorch's with the names of its functions. testdata/fixtures/functions.py wrote it.
//
//go:embed known.txt
var knownText string

//go:embed reasons.txt
var reasonsText string

type reason struct{ pattern, why string }

var reasons = sync.OnceValue(func() []reason {
	var all []reason
	for line := range strings.Lines(reasonsText) {
		if pattern, why, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && pattern[0] != '#' {
			all = append(all, reason{pattern, why})
		}
	}
	return all
})

// whyNot is why a name of PyTorch is not here; "" for other names.
func whyNot(full string) string {
	for _, r := range reasons() {
		if ok, _ := path.Match(r.pattern, full); ok {
			return r.why
		}
	}
	return ""
}

// Covered is which functions of a module of PyTorch's are here.
type Covered struct {
	Module      string
	Here        []string
	Refused     [][2]string // names, each with its reason
	Unexplained []string
}

// Coverage goes through the functions of PyTorch's modules.
func Coverage() []Covered {
	var all []Covered
	for line := range strings.Lines(knownText) {
		words := strings.Fields(line)
		c := Covered{Module: words[0]}
		for _, name := range words[1:] {
			full := c.Module + "." + name
			switch why := whyNot(full); {
			case here(c.Module, name):
				c.Here = append(c.Here, name)
			case why != "":
				c.Refused = append(c.Refused, [2]string{name, why})
			default:
				c.Unexplained = append(c.Unexplained, full)
			}
		}
		all = append(all, c)
	}
	return all
}

func here(module, name string) bool {
	if module == "torch.Tensor" {
		return slices.Contains(tensorNames(), name)
	}
	full := module + "." + name
	if _, component := registry.Lookup(full); component {
		return true
	}
	_, ok := Name(full)
	return ok
}

// Page is the page of the reference that shows [Coverage].
func Page() []byte {
	var page bytes.Buffer
	fmt.Fprint(&page, "# torch in expressions and user code\n\nWhich of PyTorch's functions and methods `$` expressions and a project's code can call, by PyTorch's names and with its "+
		"arguments. Those that are not here say why when they are called. `torch.no_grad()(f)`, `torch.no_grad(f)` and `torch.autocast(...)(f)` give a function that runs so, as decorators do in "+
		"Python.\n")
	for _, c := range Coverage() {
		fmt.Fprintf(&page, "\n## %s\n\n%d of %d: %s.\n", c.Module, len(c.Here), len(c.Here)+len(c.Refused)+len(c.Unexplained), strings.Join(c.Here, ", "))
		why := map[string][]string{}
		var order []string
		for _, r := range c.Refused {
			if why[r[1]] == nil {
				order = append(order, r[1])
			}
			why[r[1]] = append(why[r[1]], r[0])
		}
		if len(order) > 0 {
			fmt.Fprint(&page, "\n| not here | |\n|---|---|\n")
		}
		for _, reason := range order {
			fmt.Fprintf(&page, "| %s | %s |\n", strings.Join(why[reason], ", "), reason)
		}
	}
	return page.Bytes()
}
