package registry

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/diag"
)

// decoder fills a copy of a prototype with the arguments a configuration gives. It goes on after a problem, so that all
// of them are found at once.
type decoder struct {
	entry    *Entry
	args     reflect.Value
	node     *config.Node
	path     string
	given    map[string]bool
	placed   int   // positional arguments so far
	rest     []any // those of an args field
	restNode []*config.Node
	unknown  bool // a value is known only at build time
	problems diag.List
}

// newDecoder begins with a copy of args: the prototype, or what a callable was given before.
func newDecoder(e *Entry, args reflect.Value, n *config.Node, path string) decoder {
	d := decoder{entry: e, args: reflect.New(e.proto.Type()).Elem(), node: n, path: path, given: map[string]bool{}}
	d.args.Set(args)
	deepCopy(d.args)
	return d
}

// mode reads `_mode_`: default, callable or debug.
func (d *decoder) mode(n *config.Node) string {
	modes := []string{"default", "callable", "debug"}
	mode := n.Text()
	if !slices.Contains(modes, mode) {
		p := d.problems.Errorf(n.Pos, d.path, "Unsupported option %q for _mode_ of %s, Available options are %s", mode, d.entry.Target, strings.Join(modes, ", "))
		if near := diag.Nearest(mode, modes, 1); len(near) > 0 {
			p.Hint = fmt.Sprintf("did you mean %q?", near[0])
		}
	}
	return mode
}

func (d *decoder) keyword(r *config.Resolver, p config.Pair, unneeded []string) {
	v, err := pruned(r, d.path+config.Sep+p.Key, p, unneeded)
	if err != nil {
		d.fail(err, p.Value.Pos)
		d.given[p.Key] = true
		return
	}
	if _, off := v.(config.Disabled); off {
		return
	}
	d.set(p, v)
}

// pruned is the value of an argument at path; of a mapping, without the keys that are not needed.
func pruned(r *config.Resolver, path string, p config.Pair, unneeded []string) (any, error) {
	drops := func(key string) bool { return slices.Contains(unneeded, p.Key+config.Sep+key) }
	_, component := p.Value.Target()
	if component || !slices.ContainsFunc(p.Value.Pairs, func(inner config.Pair) bool { return drops(inner.Key) }) {
		return r.Resolve(path)
	}
	dict := &config.Dict{}
	var problems diag.List
	for _, inner := range p.Value.Pairs {
		if drops(inner.Key) {
			continue
		}
		v, err := r.Resolve(path + config.Sep + inner.Key)
		if err != nil {
			problems.Add(diag.AsList(err)...)
			continue
		}
		if _, off := v.(config.Disabled); !off {
			dict.Keys, dict.Values = append(dict.Keys, inner.Key), append(dict.Values, v)
		}
	}
	if problems != nil {
		return nil, problems
	}
	return dict, nil
}

// set gives a keyword argument.
func (d *decoder) set(p config.Pair, v any) {
	i := slices.IndexFunc(d.entry.Fields, func(f Field) bool { return f.Name == p.Key && !f.Kwargs })
	if i < 0 {
		i = slices.IndexFunc(d.entry.Fields, func(f Field) bool { return f.Kwargs })
		if i < 0 {
			d.unexpected(p)
			return
		}
		d.more(d.entry.Fields[i], p, v)
		return
	}
	f := d.entry.Fields[i]
	d.once(f, v, p.Value, p.KeyPos, d.path+"::"+p.Key)
}

// more gives a keyword argument whose name is the user's.
func (d *decoder) more(f Field, p config.Pair, v any) {
	all := d.args.FieldByIndex(f.index)
	if all.IsNil() {
		all.Set(reflect.MakeMap(all.Type()))
	}
	e := reflect.New(all.Type().Elem()).Elem()
	f.Name = p.Key
	d.assign(f, e, v, p.Value, d.path+"::"+p.Key)
	all.SetMapIndex(reflect.ValueOf(p.Key), e)
}

// once assigns an argument that may be given by name or by position, not by both.
func (d *decoder) once(f Field, v any, n *config.Node, pos diag.Pos, path string) {
	if d.given[f.Name] {
		d.problems.Errorf(pos, path, "%s got multiple values for argument %q", d.entry.Target, f.Name)
		return
	}
	d.assignField(f, v, n, path)
}

func (d *decoder) positional(r *config.Resolver, p config.Pair) {
	if p.Value.Kind != config.List {
		d.problems.Errorf(p.Value.Pos, d.path, "Expected _args_ to be a list, but got %s. _args_ must be a list of positional arguments.", p.Value.Kind)
		return
	}
	for i, item := range p.Value.Items {
		v, err := r.Resolve(d.path + "::_args_::" + strconv.Itoa(i))
		if err != nil {
			d.fail(err, item.Pos)
			v = config.Unknown{}
		}
		if _, off := v.(config.Disabled); off {
			continue
		}
		d.place(i, v, item, d.path+"::_args_::"+strconv.Itoa(i))
	}
	d.collect()
}

// place gives positional argument i; those from an args field on are collected.
func (d *decoder) place(i int, v any, n *config.Node, path string) {
	d.placed = i + 1
	var fields []Field
	for _, f := range d.entry.Fields {
		fields = append(fields, f)
		if f.Args {
			break
		}
	}
	switch {
	case len(fields) > 0 && fields[len(fields)-1].Args && i >= len(fields)-1:
		d.rest = append(d.rest, v)
		d.restNode = append(d.restNode, n)
	case i < len(fields):
		d.once(fields[i], v, n, posOf(n, d.node), path)
	default:
		d.problems.Errorf(posOf(n, d.node), path, "%s takes %d positional arguments, here is one more", d.entry.Target, len(fields))
	}
}

func (d *decoder) collect() {
	for _, f := range d.entry.Fields {
		if f.Args && d.rest != nil {
			d.assignField(f, d.rest, &config.Node{Kind: config.List, Items: d.restNode, Pos: posOf(nil, d.node)}, d.path+"::_args_")
			d.rest = nil
		}
	}
}

func posOf(n, parent *config.Node) diag.Pos {
	switch {
	case n != nil:
		return n.Pos
	case parent != nil:
		return parent.Pos
	}
	return diag.Pos{}
}

func (d *decoder) assignField(f Field, v any, n *config.Node, path string) {
	d.given[f.Name] = true
	if f.Ignored {
		w := d.problems.Warnf(posOf(n, d.node), path, "%s of %s is accepted for compatibility and has no effect", f.Name, d.entry.Target)
		d.explain(w, n)
	}
	d.assign(f, d.args.FieldByIndex(f.index), v, n, path)
	if s, ok := v.(string); ok && f.OneOf != nil && !slices.Contains(f.OneOf, s) {
		p := d.problems.Errorf(posOf(n, d.node), path, "%s of %s must be one of %s, got %q", f.Name, d.entry.Target, strings.Join(f.OneOf, ", "), s)
		if near := diag.Nearest(s, f.OneOf, 1); len(near) > 0 {
			p.Hint = fmt.Sprintf("did you mean %q?", near[0])
		}
		d.explain(p, n)
	}
}

// assign converts a resolved value to a field's type.
func (d *decoder) assign(f Field, dst reflect.Value, v any, n *config.Node, path string) {
	if _, later := v.(config.Unknown); later {
		d.unknown = true
		return
	}
	if f, ok := v.(*expr.Function); ok && dst.Type() != reflect.TypeFor[*expr.Function]() {
		v = Func(f.Call)
	}
	wrong := func(want string) {
		pos := posOf(n, d.node)
		if t := n.Get("_target_"); t != nil {
			pos = t.Pos
		}
		p := d.problems.Errorf(pos, path, "%s of %s must be %s, got %s", f.Name, d.entry.Target, want, Describe(v))
		d.explain(p, n)
	}
	if dst.CanAddr() && dst.Addr().Type().Implements(decoderType) {
		decode := dst.Addr().Interface().(Decoder).DecodeConfig
		if containsLater(v) {
			d.unknown = true
			c, ok := dst.Addr().Interface().(Checker)
			if !ok {
				return
			}
			decode = c.CheckConfig
		}
		if err := decode(v); err != nil {
			d.misfit(f, decode, v, err, n, path)
		}
		return
	}
	if p, ok := v.(Promise); ok {
		if !fits(p.Entry.Kind, dst.Type()) {
			wrong(kindName(dst.Type()))
		}
		return
	}
	if v == nil {
		switch dst.Kind() {
		case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
			dst.SetZero()
		default:
			wrong(kindName(dst.Type()))
		}
		return
	}
	switch dst.Kind() {
	case reflect.Pointer:
		if setScalar(dst, v) { // a component that is a pointer itself
			return
		}
		e := reflect.New(dst.Type().Elem())
		d.assign(f, e.Elem(), v, n, path)
		dst.Set(e)
	case reflect.Slice:
		items, ok := v.([]any)
		if !ok {
			wrong(kindName(dst.Type()))
			return
		}
		s := reflect.MakeSlice(dst.Type(), len(items), len(items))
		for i, item := range items {
			var child *config.Node
			if n != nil && i < len(n.Items) && len(n.Items) == len(items) {
				child = n.Items[i]
			}
			if child == nil {
				child = n
			}
			d.assign(f, s.Index(i), item, child, path+"::"+strconv.Itoa(i))
		}
		dst.Set(s)
	case reflect.Map:
		dict, ok := v.(*config.Dict)
		if !ok {
			wrong(kindName(dst.Type()))
			return
		}
		m := reflect.MakeMap(dst.Type())
		for i, k := range dict.Keys {
			key := fmt.Sprint(k)
			e := reflect.New(dst.Type().Elem()).Elem()
			d.assign(f, e, dict.Values[i], n.Get(key), path+"::"+key)
			m.SetMapIndex(reflect.ValueOf(key), e)
		}
		dst.Set(m)
	default:
		if f, ok := v.(Func); ok && adapters[dst.Type()] != nil {
			v = adapters[dst.Type()](f)
		}
		if !setScalar(dst, v) {
			wrong(kindName(dst.Type()))
		}
	}
}

// setScalar sets a bool, number, string or component; an int passes for a float, nothing else is converted.
func setScalar(dst reflect.Value, v any) bool {
	switch x := v.(type) {
	case int64:
		switch dst.Kind() {
		case reflect.Int, reflect.Int64:
			dst.SetInt(x)
			return true
		case reflect.Float64:
			dst.SetFloat(float64(x))
			return true
		}
	case *big.Int:
		if dst.Kind() == reflect.Float64 {
			f, _ := new(big.Float).SetInt(x).Float64()
			dst.SetFloat(f)
			return true
		}
	}
	rv := reflect.ValueOf(v)
	if rv.Type().AssignableTo(dst.Type()) {
		dst.Set(rv)
		return true
	}
	return false
}

// fits says whether a component of kind can stand where want is asked for.
func fits(kind, want reflect.Type) bool {
	if kind == want {
		return true
	}
	for want.Kind() == reflect.Pointer {
		want = want.Elem()
	}
	if want.Kind() != reflect.Interface || want.NumMethod() == 0 && want.Name() != "" { // a contract without methods is told by name
		return kind == want
	}
	return kind.Implements(want)
}

func containsLater(v any) bool {
	switch x := v.(type) {
	case config.Unknown, Promise:
		return true
	case []any:
		return slices.ContainsFunc(x, containsLater)
	case *config.Dict:
		return slices.ContainsFunc(x.Values, containsLater)
	}
	return false
}

// finish reports what is missing and applies the prototype's own rules.
func (d *decoder) finish(targetPos diag.Pos) {
	for _, f := range d.entry.Fields {
		if f.Required && !d.given[f.Name] {
			p := d.problems.Errorf(targetPos, d.path, "%s is missing 1 required argument: %q (%s)", d.entry.Target, f.Name, kindName(f.Type))
			p.Hint = "add `" + f.Name + ":`, " + f.Help
		}
	}
	d.validate(targetPos)
}

// blame places an error of Validate or Build at the argument it names, else at the target.
func (d *decoder) blame(err error, targetPos diag.Pos) diag.Diagnostic {
	p := diag.Diagnostic{Pos: targetPos, Path: d.path, Msg: fmt.Sprintf("Could not instantiate component %q: %v", d.entry.Target, err), Err: err}
	var fe *fieldError
	if errors.As(err, &fe) {
		p.Msg = fmt.Sprintf("%s of %s: %s", fe.field, d.entry.Target, fe.msg)
		if n := d.node.Get(fe.field); n != nil {
			p.Pos, p.Path = n.Pos, d.path+"::"+fe.field
			d.explain(&p, n)
		}
	}
	return p
}

func (d *decoder) fail(err error, pos diag.Pos) {
	switch e := err.(type) {
	case diag.List:
		d.problems.Add(e...)
	case diag.Diagnostic:
		d.problems.Add(e)
	default:
		d.problems.Add(diag.Diagnostic{Pos: pos, Path: d.path, Msg: err.Error(), Err: err})
	}
}

// deepCopy gives a copy of a prototype slices, maps and pointers of its own.
func deepCopy(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				deepCopy(v.Field(i))
			}
		}
	case reflect.Slice:
		if !v.IsNil() {
			c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(c, v)
			v.Set(c)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			c := reflect.New(v.Type().Elem())
			c.Elem().Set(v.Elem())
			v.Set(c)
		}
	case reflect.Map:
		if !v.IsNil() {
			c := reflect.MakeMap(v.Type())
			for _, k := range v.MapKeys() {
				c.SetMapIndex(k, v.MapIndex(k))
			}
			v.Set(c)
		}
	}
}

// kindName says in a few words what a type takes.
func kindName(t reflect.Type) string {
	if reflect.PointerTo(t).Implements(decoderType) {
		return reflect.New(t).Interface().(Decoder).ConfigType()
	}
	switch t.Kind() {
	case reflect.Bool:
		return "a bool"
	case reflect.Int, reflect.Int64:
		return "an int"
	case reflect.Float64:
		return "a float"
	case reflect.String:
		return "a str"
	case reflect.Pointer:
		return kindName(t.Elem()) + " or null"
	case reflect.Slice:
		return "a list, each " + kindName(t.Elem())
	case reflect.Map:
		return "a mapping, each value " + kindName(t.Elem())
	case reflect.Func:
		return "a function (`_mode_: callable` beside its _target_ makes one)"
	case reflect.Interface:
		if t.NumMethod() == 0 && t.Name() == "" {
			return "any value"
		}
		return "a component of kind " + t.Name()
	}
	return "a " + t.Name()
}

// Describe names a resolved value for a message.
func Describe(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case Func, *expr.Function:
		return "a function"
	case bool:
		return fmt.Sprintf("the bool %t", x)
	case int64, *big.Int:
		return fmt.Sprintf("the int %v", x)
	case float64:
		return "the float " + expr.Float(x)
	case string:
		return fmt.Sprintf("the str %q", x)
	case []any:
		return "a list"
	case *config.Dict:
		return "a mapping without _target_"
	case Promise:
		return fmt.Sprintf("%s, of kind %s", x.Entry.Target, KindOf(x.Entry))
	}
	return fmt.Sprintf("%T", v)
}
