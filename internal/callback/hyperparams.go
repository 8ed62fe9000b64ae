package callback

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/eventfile"
)

// flatten gives a configuration's values as Lightning gives them to TensorBoard: keys joined by "/", a list of mappings by its
// indices, bools as 0 and 1, and what is no number or string as Python prints it.
func flatten(config []byte) ([]eventfile.HParam, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(config, &doc); err != nil {
		return nil, err
	}
	f := flattened{place: map[string]int{}}
	for _, root := range doc.Content { // none when the document is empty
		if root.Kind != yaml.MappingNode {
			return nil, fmt.Errorf("expected a mapping, line %d holds none", root.Line)
		}
		f.mapping("", root)
	}
	return f.params, nil
}

type flattened struct {
	params []eventfile.HParam
	place  map[string]int // by name
}

func (f *flattened) mapping(path string, y *yaml.Node) {
	for i := 0; i < len(y.Content); i += 2 {
		f.value(path+scalarText(y.Content[i], false), y.Content[i+1])
	}
}

func (f *flattened) value(path string, y *yaml.Node) {
	switch {
	case y.Kind == yaml.AliasNode:
		f.value(path, y.Alias)
	case y.Kind == yaml.MappingNode:
		f.mapping(path+"/", y)
	case y.Kind == yaml.SequenceNode && onlyMappings(y.Content):
		for i, item := range y.Content {
			f.value(path+"/"+strconv.Itoa(i), item)
		}
	default:
		p := eventfile.HParam{Name: path, Value: hparamValue(y)}
		if i, taken := f.place[path]; taken {
			f.params[i] = p
			return
		}
		f.place[path] = len(f.params)
		f.params = append(f.params, p)
	}
}

func onlyMappings(items []*yaml.Node) bool {
	for _, y := range items {
		if y.Kind != yaml.MappingNode {
			return false
		}
	}
	return true
}

func hparamValue(y *yaml.Node) any {
	if y.Kind == yaml.ScalarNode {
		switch v := scalarOf(y).(type) {
		case bool:
			if v {
				return 1.0
			}
			return 0.0
		case *big.Int:
			f, _ := new(big.Float).SetInt(v).Float64()
			return f
		case float64:
			return v
		}
	}
	return nodeText(y, false)
}

// scalarOf is a scalar's value: nil, bool, *big.Int, float64 or string.
func scalarOf(y *yaml.Node) any {
	switch y.ShortTag() {
	case "!!null":
		return nil
	case "!!int":
		if i, ok := new(big.Int).SetString(y.Value, 0); ok {
			return i
		}
	case "!!bool", "!!float":
		var v any
		if y.Decode(&v) == nil {
			return v
		}
	}
	return y.Value
}

// nodeText is Python's str() of a value, or its repr() inside another.
func nodeText(y *yaml.Node, inside bool) string {
	switch y.Kind {
	case yaml.AliasNode:
		return nodeText(y.Alias, inside)
	case yaml.SequenceNode:
		parts := make([]string, len(y.Content))
		for i, item := range y.Content {
			parts[i] = nodeText(item, true)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case yaml.MappingNode:
		parts := make([]string, 0, len(y.Content)/2)
		for i := 0; i < len(y.Content); i += 2 {
			parts = append(parts, scalarText(y.Content[i], true)+": "+nodeText(y.Content[i+1], true))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return scalarText(y, inside)
}

func scalarText(y *yaml.Node, inside bool) string {
	switch v := scalarOf(y).(type) {
	case nil:
		return "None"
	case bool:
		return pythonBool(v)
	case *big.Int:
		return v.String()
	case float64:
		return expr.Float(v)
	case string:
		if inside {
			return pythonRepr(v)
		}
		return v
	}
	return y.Value
}
