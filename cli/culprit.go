package cli

import (
	"strings"

	"github.com/lighter-go/lighter/internal/registry"
)

// added are the packages that register components and are not lighter's own.
func added() []string {
	var packages []string
	for _, e := range registry.All() {
		if !e.Own() {
			packages = append(packages, e.Package())
		}
	}
	return packages
}

// culprit is whose bug a panic is, by its stack: "lighter", or the one of the added packages that it comes from, with the place.
func culprit(stack string, added []string) string {
	first := max(strings.LastIndex(stack, "\npanic("), 0) // where others came of it they stand before
	lines := strings.Split(stack[first:], "\n")
	for i := 3; i+1 < len(lines); i += 2 { // after panic and its place, a function and its place in turn
		function := lines[i]
		if strings.HasPrefix(function, "runtime.") {
			continue
		}
		for _, pkg := range added {
			rest, found := strings.CutPrefix(function, pkg)
			if found && rest != "" && (rest[0] == '.' || rest[0] == '/') {
				place, _, _ := strings.Cut(strings.TrimSpace(lines[i+1]), " ")
				return pkg + ", at " + place
			}
		}
		break
	}
	return "lighter"
}
