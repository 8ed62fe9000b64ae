package registry

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Field is one argument of a component.
//
// Its tags: `cfg:"name,required,args,kwargs,ignored,aka=old|synonym"`, `help:"what it is, in at most 80 characters"` and
// `oneof:"a|b|c"`. An `args` field is a slice that takes all positional arguments, a
// `kwargs` field a map of those whose names no other field has; an `ignored` one is accepted for
// compatibility and warns. A field whose type is a contract takes a component of that kind. Arguments that several components
// share stand in a struct of their own, which they embed or hold in a field tagged `cfg:",inline"`.
type Field struct {
	Name     string
	Type     reflect.Type
	Required bool
	Args     bool
	Kwargs   bool
	Ignored  bool
	Aka      []string // names that people write for it
	OneOf    []string
	Help     string
	index    []int // for reflect's FieldByIndex
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
	fields, err := structFields(proto.Type(), nil)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, f := range fields {
		if f.Name == "" || seen[f.Name] {
			return nil, fmt.Errorf("cfg name %q is empty or taken", f.Name)
		}
		seen[f.Name] = true
	}
	return fields, nil
}

// structFields are the fields of t, which lies at the index at of the prototype.
func structFields(t reflect.Type, at []int) ([]Field, error) {
	var fields []Field
	for i := range t.NumField() {
		sf := t.Field(i)
		index := append(slices.Clone(at), i)
		tag, tagged := sf.Tag.Lookup("cfg")
		if sf.Type.Kind() == reflect.Struct && (tag == ",inline" || sf.Anonymous && !tagged) {
			inner, err := structFields(sf.Type, index)
			if err != nil {
				return nil, err
			}
			if len(inner) > 0 && !sf.IsExported() {
				return nil, fmt.Errorf("field %s holds arguments but is not exported", sf.Name)
			}
			fields = append(fields, inner...)
			continue
		}
		if !tagged {
			continue
		}
		f, err := fieldOf(sf, tag)
		if err != nil {
			return nil, err
		}
		f.index = index
		fields = append(fields, f)
	}
	return fields, nil
}

func fieldOf(sf reflect.StructField, tag string) (Field, error) {
	f := Field{Type: sf.Type, Help: sf.Tag.Get("help")}
	if !sf.IsExported() {
		return f, fmt.Errorf("field %s has a cfg tag but is not exported", sf.Name)
	}
	parts := strings.Split(tag, ",")
	f.Name = parts[0]
	for _, p := range parts[1:] {
		switch key, value, _ := strings.Cut(p, "="); key {
		case "required":
			f.Required = true
		case "args":
			f.Args = true
		case "kwargs":
			f.Kwargs = true
		case "ignored":
			f.Ignored = true
		case "aka":
			f.Aka = strings.Split(value, "|")
		default:
			return f, fmt.Errorf("field %s: unknown option %q in its cfg tag", sf.Name, p)
		}
	}
	if oneof := sf.Tag.Get("oneof"); oneof != "" {
		f.OneOf = strings.Split(oneof, "|")
	}
	switch {
	case f.Help == "" || len(f.Help) > 80:
		return f, fmt.Errorf("field %s needs a help tag of at most 80 characters", sf.Name)
	case f.Args && f.Type.Kind() != reflect.Slice:
		return f, errors.New("an args field must be a slice")
	case f.Kwargs && (f.Type.Kind() != reflect.Map || f.Type.Key().Kind() != reflect.String):
		return f, errors.New("a kwargs field must be a map of strs")
	}
	return f, nil
}

// Default is the argument's default, as the prototype holds it.
func (e *Entry) Default(f Field) any { return e.proto.FieldByIndex(f.index).Interface() }
