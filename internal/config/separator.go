package config

import (
	"regexp"
	"strings"
)

// hashed is a reference whose keys are joined as MONAI's bundles did, "@system#model", "%#train".
var hashed = regexp.MustCompile(`[@%][\w:]*#[\w#:]*`)

// separate writes references with "::" in a configuration with a system, whose older versions join keys with "#". Elsewhere that begins
// a comment of an expression.
func separate(root *Node) {
	if root.Get("system").Get("_target_") != nil {
		separateIn(root)
	}
}

func separateIn(n *Node) {
	if text := n.Text(); text != "" && strings.ContainsAny(text[:1], "@%$") {
		n.Value = hashed.ReplaceAllStringFunc(text, func(ref string) string { return strings.ReplaceAll(ref, "#", Sep) })
	}
	for _, item := range n.Items {
		separateIn(item)
	}
	for _, p := range n.Pairs {
		separateIn(p.Value)
	}
}
