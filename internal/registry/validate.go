package registry

import (
	"errors"
	"reflect"
	"slices"

	"github.com/lighter-go/lighter/internal/diag"
)

// validate applies the prototype's own rules. They stop at the first that is broken, so an argument that is blamed goes back to
// its default and they are asked again.
func (d *decoder) validate(targetPos diag.Pos) {
	rules := func(args reflect.Value) error {
		if v, ok := args.Interface().(Validator); ok {
			return v.Validate()
		}
		return nil
	}
	sound := !d.unknown && !d.problems.HasErrors()
	args := reflect.New(d.entry.proto.Type()).Elem()
	args.Set(d.args)
	for range d.entry.Fields {
		err := rules(args)
		var fe *fieldError
		if !errors.As(err, &fe) {
			if err != nil && sound {
				d.problems.Add(d.blame(err, targetPos))
			}
			return
		}
		i := slices.IndexFunc(d.entry.Fields, func(f Field) bool { return f.Name == fe.field })
		if i < 0 {
			return
		}
		field := d.entry.Fields[i].index
		if !sound && !d.alone(fe.field, field, rules) {
			return
		}
		d.problems.Add(d.blame(err, targetPos))
		sound = false
		args.FieldByIndex(field).Set(d.entry.proto.FieldByIndex(field))
	}
}

// alone reports whether an argument breaks a rule whatever the others are: beside arguments that are wrong or not known yet only
// such a fault is sure.
func (d *decoder) alone(name string, field []int, rules func(reflect.Value) error) bool {
	args := reflect.New(d.entry.proto.Type()).Elem()
	args.Set(d.entry.proto)
	args.FieldByIndex(field).Set(d.args.FieldByIndex(field))
	var with, without *fieldError
	if !errors.As(rules(args), &with) || with.field != name {
		return false
	}
	args.FieldByIndex(field).Set(d.entry.proto.FieldByIndex(field))
	return !errors.As(rules(args), &without) || without.field != name
}
