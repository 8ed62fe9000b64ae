package registry

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter/internal/config/expr"
)

// Description is a component as `lighter list` and the reference show it.
type Description struct {
	Target    string     `json:"target"`
	Aliases   []string   `json:"aliases,omitempty"`
	Kind      string     `json:"kind"`
	Package   string     `json:"package"`          // import path of the Go package that registers it
	Module    string     `json:"module,omitempty"` // that package's, "example.com/mine@v1.2.3"; "" for lighter's own
	Doc       string     `json:"doc,omitempty"`
	Arguments []Argument `json:"arguments"`

	source string // in words, "" for lighter's own
}

// Argument is one argument of a component.
type Argument struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`              // in words, as messages have it
	Default  string   `json:"default,omitempty"` // as YAML; "" when it is required or has no short form
	Required bool     `json:"required,omitempty"`
	Rest     bool     `json:"rest,omitempty"`    // takes all further positional arguments
	Ignored  bool     `json:"ignored,omitempty"` // accepted for compatibility, without effect
	OneOf    []string `json:"one_of,omitempty"`
	Synonyms []string `json:"synonyms,omitempty"` // what people write for it: never accepted, but recognised
	Help     string   `json:"help"`
}

// Describe says what a component is and what it takes.
func (e *Entry) Describe() Description {
	d := Description{Target: e.Target, Aliases: e.Aliases, Kind: KindOf(e), Package: e.Package(), Doc: e.Doc(), Arguments: []Argument{}}
	if !e.Own() {
		d.source = e.Source()
		d.Module = Module(d.Package)
	}
	for _, f := range e.Fields {
		a := Argument{
			Name: f.Name, Type: kindName(f.Type), Required: f.Required, Rest: f.Args, Ignored: f.Ignored,
			OneOf: f.OneOf, Synonyms: f.Aka, Help: f.Help,
		}
		if !f.Required && !f.Args && !f.Kwargs {
			a.Default = yamlOf(e.proto.FieldByIndex(f.index))
		}
		d.Arguments = append(d.Arguments, a)
	}
	return d
}

// KindOf names the contract a component fulfils: "Module", "Optimizer". A function that gives a plain value is a "value".
func KindOf(e *Entry) string {
	t := e.Kind
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" {
		return "value"
	}
	return t.Name()
}

// yamlOf is a default as a configuration would have it, "" when it has no short form.
func yamlOf(v reflect.Value) string {
	if isDecoder(v.Type()) && v.IsZero() {
		return ""
	}
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		return expr.Float(v.Float())
	case reflect.String:
		return yamlText(v.String())
	case reflect.Slice:
		if v.IsNil() {
			return "null"
		}
		items := make([]string, v.Len())
		for i := range items {
			if items[i] = yamlOf(v.Index(i)); items[i] == "" {
				return ""
			}
		}
		return "[" + strings.Join(items, ", ") + "]"
	case reflect.Pointer, reflect.Map, reflect.Interface:
		if v.IsNil() {
			return "null"
		}
		if v.Kind() == reflect.Pointer {
			return yamlOf(v.Elem())
		}
	}
	if s, ok := v.Interface().(fmt.Stringer); ok {
		return s.String()
	}
	return ""
}

// yamlText is a string as a YAML value, in quotes where it would be something else without them.
func yamlText(s string) string {
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r == '_' || r == '-' || r == '.' || r == '/' || r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z')
	})
	switch strings.ToLower(s) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		plain = false
	}
	if plain && (s[0]|0x20 < 'a' || s[0]|0x20 > 'z') {
		plain = false
	}
	if plain {
		return s
	}
	return strconv.Quote(s)
}

func isDecoder(t reflect.Type) bool { return reflect.PointerTo(t).Implements(decoderType) }

// note is what stands in brackets after an argument's type.
func (a Argument) note() string {
	var notes []string
	switch {
	case a.Required:
		notes = append(notes, "required")
	case a.Default != "":
		notes = append(notes, "default "+a.Default)
	}
	if a.Rest {
		notes = append(notes, "all positional arguments")
	}
	if a.Ignored {
		notes = append(notes, "no effect")
	}
	return strings.Join(notes, ", ")
}

// typeText is an argument's type, or the words it can be.
func (a Argument) typeText() string {
	if len(a.OneOf) == 0 {
		return a.Type
	}
	text := "one of " + strings.Join(a.OneOf, ", ")
	if strings.HasSuffix(a.Type, " or null") {
		text += ", or null"
	}
	return text
}

// Text writes a description for a terminal. Errors of w are ignored.
func (d Description) Text(w io.Writer) {
	fmt.Fprintf(w, "%s, kind %s\n", d.Target, d.Kind)
	if d.source != "" {
		fmt.Fprintf(w, "from %s\n", d.source)
	}
	if d.Doc != "" {
		fmt.Fprintf(w, "\n%s\n", d.Doc)
	}
	if len(d.Arguments) > 0 {
		fmt.Fprint(w, "\nArguments, in the order of _args_:\n")
	} else {
		fmt.Fprint(w, "\nIt takes no arguments.\n")
	}
	width := 0
	for _, a := range d.Arguments {
		width = max(width, len(a.Name))
	}
	for _, a := range d.Arguments {
		fmt.Fprintf(w, "  %-*s  %s", width, a.Name, a.typeText())
		if note := a.note(); note != "" {
			fmt.Fprintf(w, " (%s)", note)
		}
		fmt.Fprintf(w, "\n  %-*s  %s\n", width, "", a.Help)
	}
	if len(d.Aliases) > 0 {
		fmt.Fprintf(w, "\nAlso known as:\n  %s\n", strings.Join(d.Aliases, "\n  "))
	}
}

// Markdown writes a description as a section of a page. Errors of w are ignored.
func (d Description) Markdown(w io.Writer) {
	fmt.Fprintf(w, "## %s\n\n", d.Target)
	if d.Doc != "" {
		fmt.Fprintf(w, "%s\n\n", d.Doc)
	}
	fmt.Fprintf(w, "Kind: %s.", d.Kind)
	if len(d.Aliases) > 0 {
		fmt.Fprintf(w, " Also `%s`.", strings.Join(d.Aliases, "`, `"))
	}
	if d.source != "" {
		fmt.Fprintf(w, " From %s.", d.source)
	}
	if len(d.Arguments) == 0 {
		fmt.Fprint(w, " It takes no arguments.\n")
		return
	}
	fmt.Fprint(w, "\n\n| argument | type | default | |\n|---|---|---|---|\n")
	cell := strings.NewReplacer("|", `\|`, "\n", " ")
	for _, a := range d.Arguments {
		fallback := ""
		switch {
		case a.Required:
			fallback = "required"
		case a.Default != "":
			fallback = "`" + a.Default + "`"
		}
		help := a.Help
		if a.Rest {
			help += "; takes all positional arguments"
		}
		if a.Ignored {
			help += "; no effect"
		}
		fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", a.Name, cell.Replace(a.typeText()), cell.Replace(fallback), cell.Replace(help))
	}
}
