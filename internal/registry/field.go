package registry

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Field is one argument of a component.
//
// Its tags: `cfg:"name,required,args,ignored,aka=old|synonym"`, `help:"what it is, in at most 80 characters"` and
// `oneof:"a|b|c"`. An `args` field is a slice that takes all positional arguments; an `ignored` one is accepted for
// compatibility and warns. A field whose type is a contract takes a component of that kind.
type Field struct {
	Name     string
	Type     reflect.Type
	Required bool
	Args     bool
	Ignored  bool
	Aka      []string // names that people write for it
	OneOf    []string
	Help     string
	index    int
}

// Decoder is a field type with a form of its own in the configuration. It is given the resolved value: nil, bool, int64,
// float64, string, []any, *config.Dict or a component. ConfigType names the form for messages: "an int or a list of 2 ints".
type Decoder interface {
	DecodeConfig(v any) error
	ConfigType() string
}

// Checker is a Decoder that looks at what is known of a value before components are built: it is given what DecodeConfig will be,
// with a [Promise] for each component and config.Unknown for what an expression makes of one.
type Checker interface {
	CheckConfig(v any) error
}

var decoderType = reflect.TypeFor[Decoder]()

func fieldsOf(proto reflect.Value) ([]Field, error) {
	var fields []Field
	seen := map[string]bool{}
	t := proto.Type()
	for i := range t.NumField() {
		sf := t.Field(i)
		tag, tagged := sf.Tag.Lookup("cfg")
		if !tagged {
			continue
		}
		if !sf.IsExported() {
			return nil, fmt.Errorf("field %s has a cfg tag but is not exported", sf.Name)
		}
		f := Field{Type: sf.Type, Help: sf.Tag.Get("help"), index: i}
		parts := strings.Split(tag, ",")
		f.Name = parts[0]
		for _, p := range parts[1:] {
			switch key, value, _ := strings.Cut(p, "="); key {
			case "required":
				f.Required = true
			case "args":
				f.Args = true
			case "ignored":
				f.Ignored = true
			case "aka":
				f.Aka = strings.Split(value, "|")
			default:
				return nil, fmt.Errorf("field %s: unknown option %q in its cfg tag", sf.Name, p)
			}
		}
		if oneof := sf.Tag.Get("oneof"); oneof != "" {
			f.OneOf = strings.Split(oneof, "|")
		}
		switch {
		case f.Name == "" || seen[f.Name]:
			return nil, fmt.Errorf("field %s: cfg name %q is empty or taken", sf.Name, f.Name)
		case f.Help == "" || len(f.Help) > 80:
			return nil, fmt.Errorf("field %s needs a help tag of at most 80 characters", sf.Name)
		case f.Args && f.Type.Kind() != reflect.Slice:
			return nil, errors.New("an args field must be a slice")
		}
		seen[f.Name] = true
		fields = append(fields, f)
	}
	return fields, nil
}

// Default is the argument's default, as the prototype holds it.
func (e *Entry) Default(f Field) any { return e.proto.Field(f.index).Interface() }
