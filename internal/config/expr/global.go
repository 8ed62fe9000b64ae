package expr

import (
	"slices"

	"github.com/lighter-go/lighter/internal/diag"
	"go.starlark.net/syntax"
)

// Global is a name that a file binds.
type Global struct {
	Name     string
	Pos      diag.Pos
	Function bool    // of a def; then its parameters are known before the file runs
	Params   []Param // in order
}

// Globals are the names that the file binds, in order, once each; the last def of a name is it.
func (f *File) Globals() []Global {
	tree, err := fileOptions.Parse(f.Name, f.code, 0)
	if err != nil { // compiling has parsed it
		return nil
	}
	var all []Global
	add := func(g Global) {
		if i := slices.IndexFunc(all, func(o Global) bool { return o.Name == g.Name }); i >= 0 {
			all[i] = g
			return
		}
		all = append(all, g)
	}
	syntax.Walk(tree, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.DefStmt:
			add(Global{n.Name.Name, f.at(n.Name.NamePos), true, paramsOf(n.Params)})
			return false
		case *syntax.LoadStmt:
			for _, to := range n.To {
				add(Global{Name: to.Name, Pos: f.at(to.NamePos)})
			}
			return false
		case *syntax.AssignStmt:
			f.assigned(n.LHS, add)
			return false
		case *syntax.ForStmt:
			f.assigned(n.Vars, add)
		case syntax.Expr:
			return false
		}
		return true
	})
	return all
}

// assigned adds the names of an assignment's left side.
func (f *File) assigned(e syntax.Expr, add func(Global)) {
	switch e := e.(type) {
	case *syntax.Ident:
		if len(e.Name) < 2 || e.Name[:2] != "__" {
			add(Global{Name: e.Name, Pos: f.at(e.NamePos)})
		}
	case *syntax.ParenExpr:
		f.assigned(e.X, add)
	case *syntax.TupleExpr:
		for _, x := range e.List {
			f.assigned(x, add)
		}
	case *syntax.ListExpr:
		for _, x := range e.List {
			f.assigned(x, add)
		}
	}
}

// paramsOf are the parameters of a def: x, x = 1, *args, *, **kwargs.
func paramsOf(list []syntax.Expr) []Param {
	var ps []Param
	kind := Ordinary
	for _, e := range list {
		switch e := e.(type) {
		case *syntax.Ident:
			ps = append(ps, Param{Name: e.Name, Kind: kind})
		case *syntax.BinaryExpr:
			ps = append(ps, Param{Name: e.X.(*syntax.Ident).Name, Kind: kind, Default: true})
		case *syntax.UnaryExpr:
			if e.Op == syntax.STARSTAR {
				ps = append(ps, Param{Name: e.X.(*syntax.Ident).Name, Kind: VarKeywords})
				continue
			}
			kind = KeywordOnly
			if x, ok := e.X.(*syntax.Ident); ok {
				ps = append(ps, Param{Name: x.Name, Kind: VarArgs})
			}
		}
	}
	return ps
}
