package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// object is a JSON Schema, or a part of one.
type object = map[string]any

// A string that begins with one of these stands for any value.
const referencePattern = "^[@%$]"

// Schema is the JSON Schema (2020-12) of configurations with these sections, for editors. Of a component it knows the
// arguments, their types, defaults and help by its `_target_`; a mapping without one, as layered files have, may hold
// anything. A missing argument is no error in it: another file may give it. `_target_` decides by if/then, which editors
// complete and report on better than a large anyOf.
func Schema(roots ...Root) ([]byte, error) {
	s := schema{defs: object{
		"reference": object{"type": "string", "pattern": referencePattern},
		"remove": object{
			"description": "~key removes the key, or what a list names of it", "type": []string{"null", "string", "array"}, "maxLength": 0,
		},
		"value": object{
			"type": []string{"null", "boolean", "number", "string", "array", "object"}, "items": ref("value"),
			"if":   object{"type": "object", "required": []string{"_target_"}},
			"then": ref("component"), "else": object{"additionalProperties": ref("value")},
		},
	}}
	for _, e := range All() {
		s.defs[e.Target] = s.component(e)
	}
	s.defs["component"] = s.choice(All(), "the name of a component")
	properties := object{
		"seed":       object{"type": []string{"integer", "string", "null"}, "minimum": 0, "maximum": 1<<32 - 1, "description": "seed of all random numbers; default 0"},
		"vars":       described(ref("value"), "values that others refer to"),
		"args":       object{"type": []string{"object", "string", "null"}, "description": "options of the stages, args::fit::ckpt_path"},
		"_imports_":  object{"type": []string{"object", "null"}, "description": "modules that expressions use, by name", "additionalProperties": object{"type": "string"}},
		"_requires_": described(ref("value"), "imports of older configurations"),
	}
	for _, r := range roots {
		properties[r.Path] = s.kind(r.Kind)
	}
	names := slices.Sorted(maps.Keys(properties))
	doc := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "lighter configuration", "$defs": s.defs, "type": "object",
		"properties": properties, "patternProperties": prefixed(names, "#"), "additionalProperties": ref("value"),
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	return b.Bytes(), nil
}

type schema struct{ defs object }

func ref(def string) object { return object{"$ref": "#/$defs/" + def} }

func described(s object, text string) object {
	s["description"] = text
	return s
}

// prefixed lets keys carry an operator: `=key` takes what key takes, `~key` what removes it. at is where the properties are.
func prefixed(names []string, at string) object {
	quoted := make([]string, len(names))
	patterns := object{}
	for i, n := range names {
		quoted[i] = regexp.QuoteMeta(n)
		patterns["^="+quoted[i]+"$"] = object{"$ref": at + "/properties/" + n}
	}
	if len(names) > 0 {
		patterns["^~("+strings.Join(quoted, "|")+")$"] = ref("remove")
	}
	return patterns
}

// component is the schema of a mapping with the entry's target.
func (s *schema) component(e *Entry) object {
	d := e.Describe()
	properties := object{
		"_target_":   true,
		"_args_":     object{"description": "positional arguments", "type": []string{"array", "string"}, "pattern": referencePattern, "items": ref("value")},
		"_disabled_": object{"description": "leave this component out", "type": []string{"boolean", "string"}},
		"_mode_":     object{"description": "callable: give the function that builds it", "enum": []string{"default", "callable"}},
		"_requires_": ref("value"),
	}
	var names []string
	var more any = false
	for i, f := range e.Fields {
		if f.Kwargs {
			more = s.ofType(f.Type.Elem())
			continue
		}
		names = append(names, f.Name)
		p := s.field(f)
		a := d.Arguments[i]
		p["description"] = help(a)
		if v, ok := plainDefault(e.proto.FieldByIndex(f.index)); ok && !f.Required {
			p["default"] = v
		}
		properties[f.Name] = p
	}
	slices.Sort(names)
	o := object{"type": "object", "properties": properties, "additionalProperties": more}
	patterns := prefixed(append(names, "_args_", "_target_"), "#/$defs/"+e.Target)
	o["patternProperties"] = patterns
	if d.Doc != "" {
		o["description"] = d.Doc
	}
	return o
}

// help is an argument's help with its type, which editors show.
func help(a Argument) string {
	text := a.Help + " (" + a.typeText()
	if note := a.note(); note != "" {
		text += ", " + note
	}
	return text + ")"
}

func (s *schema) field(f Field) object {
	if f.OneOf != nil {
		words := make([]any, 0, len(f.OneOf)+1)
		for _, w := range f.OneOf {
			words = append(words, w)
		}
		if f.Type.Kind() == reflect.Pointer {
			words = append(words, nil)
		}
		return object{"anyOf": []any{object{"enum": words}, ref("reference")}}
	}
	return s.ofType(f.Type)
}

// ofType is the schema of a value of a Go type, or of a reference to one.
func (s *schema) ofType(t reflect.Type) object {
	if isDecoder(t) {
		return s.form(t)
	}
	switch t.Kind() {
	case reflect.Bool:
		return typed("boolean")
	case reflect.Int, reflect.Int64:
		return typed("integer")
	case reflect.Float64:
		return typed("number")
	case reflect.String:
		return object{"type": "string"}
	case reflect.Slice:
		o := typed("array")
		o["items"] = s.ofType(t.Elem())
		o["type"] = append(o["type"].([]string), "null")
		return o
	case reflect.Map:
		o := typed("object")
		o["additionalProperties"] = s.ofType(t.Elem())
		o["type"] = append(o["type"].([]string), "null")
		return o
	case reflect.Pointer:
		o := s.ofType(t.Elem())
		if types, ok := o["type"].([]string); ok {
			o["type"] = append(types, "null")
		} else if text, ok := o["type"].(string); ok {
			o["type"] = []string{text, "null"}
		}
		return o
	case reflect.Interface:
		if t.NumMethod() > 0 || t.Name() != "" {
			return s.kind(t)
		}
	}
	return ref("value")
}

// form is the schema of a Decoder: any value, in which a component is one that a Checker takes.
func (s *schema) form(t reflect.Type) object {
	c, ok := reflect.New(t).Interface().(Checker)
	if !ok {
		return ref("value")
	}
	def := "form " + strings.ReplaceAll(t.String(), "/", ".")
	if s.defs[def] == nil {
		of := slices.DeleteFunc(All(), func(e *Entry) bool { return c.CheckConfig(Promise{e}) != nil })
		s.defs[def] = s.choice(of, "the name of "+c.(Decoder).ConfigType())
	}
	one := object{"$ref": "#/$defs/" + strings.ReplaceAll(def, " ", "%20")}
	return object{
		"items": one, "if": object{"type": "object"},
		"then": object{"allOf": []any{one}, "if": object{"required": []string{"_target_"}}, "else": object{"additionalProperties": ref("value")}},
	}
}

// typed is a type or a reference. patternErrorMessage is what editors show for another string.
func typed(name string) object {
	return object{"type": []string{name, "string"}, "pattern": referencePattern, "patternErrorMessage": "expected " + name + ", or a reference with @, % or $"}
}

// kind is a component of a kind, a reference to one, or null.
func (s *schema) kind(t reflect.Type) object {
	name := t.Name()
	for e := t; name == "" && e.Kind() == reflect.Pointer; {
		e = e.Elem()
		name = e.Name()
	}
	if name == "" {
		return ref("value")
	}
	def := "kind " + name
	if s.defs[def] == nil {
		var of []*Entry
		for _, e := range All() {
			if fits(e.Kind, t) {
				of = append(of, e)
			}
		}
		s.defs[def] = s.choice(of, "the name of a component of kind "+name)
	}
	return object{"$ref": "#/$defs/kind%20" + name}
}

// choice is one of the entries. Editors offer the targets; aliases are accepted.
func (s *schema) choice(entries []*Entry, text string) object {
	names := make([]string, len(entries))
	cases := make([]any, len(entries))
	other := []string{"[@%$]", `project\.`}
	for i, e := range entries {
		names[i] = e.Target
		for _, alias := range e.Aliases {
			other = append(other, regexp.QuoteMeta(alias)+"$")
		}
		cases[i] = object{
			"if":   object{"required": []string{"_target_"}, "properties": object{"_target_": object{"enum": append([]string{e.Target}, e.Aliases...)}}},
			"then": ref(e.Target),
		}
	}
	o := object{
		"type": []string{"object", "string", "null"}, "pattern": referencePattern, "patternErrorMessage": "expected a component, or a reference with @, % or $",
		"properties": object{"_target_": object{
			"description": text,
			"anyOf":       []any{object{"enum": names}, object{"type": "string", "pattern": "^(" + strings.Join(other, "|") + ")"}},
		}},
	}
	if len(cases) > 0 {
		o["if"], o["then"] = object{"type": "object"}, object{"allOf": cases}
	}
	return o
}

// plainDefault is a default that JSON can have.
func plainDefault(v reflect.Value) (any, bool) {
	if yamlOf(v) == "" {
		return nil, false
	}
	switch v.Kind() {
	case reflect.Slice:
		if v.IsNil() {
			return nil, true
		}
		items := make([]any, v.Len())
		for i := range items {
			items[i], _ = plainDefault(v.Index(i))
		}
		return items, true
	case reflect.Pointer, reflect.Map, reflect.Interface:
		if v.IsNil() {
			return nil, true
		}
		return plainDefault(v.Elem())
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.String:
		return v.Interface(), true
	case reflect.Float64:
		return v.Float(), !math.IsInf(v.Float(), 0) && !math.IsNaN(v.Float())
	}
	return nil, false
}
