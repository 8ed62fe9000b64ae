package registry

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// family is the package of a target: "torch.nn" of torch.nn.Linear.
func family(target string) string {
	if i := strings.LastIndexByte(target, '.'); i > 0 {
		return target[:i]
	}
	return target
}

const generated = "<!-- Written by make docs from the components' declarations. -->\n\n"

// Reference gives the pages of the reference by file name: one for each family of components, README.md, which lists them, and
// coverage.md, which says what of PyTorch is there.
func Reference() map[string][]byte {
	families := map[string][]Description{}
	for _, e := range All() {
		d := e.Describe()
		families[family(d.Target)] = append(families[family(d.Target)], d)
	}
	pages := map[string][]byte{}
	var index bytes.Buffer
	fmt.Fprint(&index, generated+"# Components\n\n`lighter list TARGET` shows the same in a terminal.\n\n")
	for _, name := range slices.Sorted(maps.Keys(families)) {
		var page bytes.Buffer
		fmt.Fprintf(&page, "%s# %s\n\n", generated, name)
		classes := make([]string, len(families[name]))
		for i, d := range families[name] {
			classes[i] = strings.TrimPrefix(d.Target, name+".")
		}
		fmt.Fprintf(&index, "- [%s](%[1]s.md): %s\n", name, strings.Join(classes, ", "))
		for i, d := range families[name] {
			if i > 0 {
				page.WriteByte('\n')
			}
			d.Markdown(&page)
		}
		pages[name+".md"] = page.Bytes()
	}
	if objects != nil {
		pages["functions.md"] = append([]byte(generated), objects.Page()...)
		fmt.Fprint(&index, "\n[Functions](functions.md) are what `$` expressions and user code can call of torch.\n")
	}
	fmt.Fprint(&index, "\n[Coverage](coverage.md) goes through the names of PyTorch's modules.\n")
	pages["coverage.md"] = coveragePage()
	pages["README.md"] = index.Bytes()
	return pages
}
