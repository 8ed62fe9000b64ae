package project_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	_ "github.com/lighter-go/lighter/internal/creation"
	_ "github.com/lighter-go/lighter/internal/data"
	"github.com/lighter-go/lighter/internal/diag"
	_ "github.com/lighter-go/lighter/internal/metric"
	_ "github.com/lighter-go/lighter/internal/model"
	_ "github.com/lighter-go/lighter/internal/module"
	_ "github.com/lighter-go/lighter/internal/optim"
	"github.com/lighter-go/lighter/internal/project"
	_ "github.com/lighter-go/lighter/internal/pytorch"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

// open makes a project of files, by their names; code alone is that of model.star.
func open(t *testing.T, files map[string]string) *project.Project {
	t.Helper()
	dir := t.TempDir()
	if _, ok := files[project.Marker]; !ok {
		files[project.Marker] = ""
	}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := project.Open(dir, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// build builds what x is in a configuration.
func build(t *testing.T, p *project.Project, x any) (any, error) {
	t.Helper()
	c, problems := config.Compose(map[string]any{"x": x})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	b := registry.NewBuild(c, registry.Env{Stage: "fit", Project: p})
	t.Cleanup(func() { b.Close() })
	return registry.Get[any](b, "x")
}

// made is what the function New of some code makes, with arguments.
func made[K any](t *testing.T, code string, args map[string]any) K {
	t.Helper()
	if args == nil {
		args = map[string]any{}
	}
	args["_target_"] = "project.model.New"
	v, err := build(t, open(t, map[string]string{"model.star": code}), args)
	if err != nil {
		t.Fatal(err)
	}
	k, ok := v.(K)
	if !ok {
		t.Fatalf("got %T", v)
	}
	return k
}

// failure is the error that building or using what New makes ends with.
func failure(t *testing.T, code string, use func(v any)) string {
	t.Helper()
	v, err := build(t, open(t, map[string]string{"model.star": code}), map[string]any{"_target_": "project.model.New"})
	if err == nil && use != nil {
		err = tensor.Catch(func() { use(v) })
	}
	if err == nil {
		t.Fatal("no error")
	}
	text := ""
	for _, d := range diag.AsList(err) {
		text += d.Line() + "\n"
	}
	return text
}

func TestNamesOfAProject(t *testing.T) {
	files := map[string]string{
		"model.star":           "def Net(hidden, depth=1):\n    return hidden\nlimit = 3\n",
		"nets/unet.star":       "def UNet():\n    return 1\n",
		"nets/__init__.star":   "load('unet.star', 'UNet')\nname = 'nets'\n",
		"data.star":            "def Digits():\n    return 2\n",
		"data/digits.npy":      "",
		"old.py":               "class Net: pass",
		"broken.star":          "def f(:\n    return 1\n",
		"typo.star":            "def f(value):\n    return vlaue\n",
		"deep/er/est.star":     "def f():\n    return 'deep'\n",
		"circle.star":          "load('circle2.star', 'g')\ndef f():\n    return g()\n",
		"circle2.star":         "load('circle.star', 'f')\ndef g():\n    return f()\n",
		"outside.star":         "load('../secret.star', 'g')\ndef f():\n    return g()\n",
		"relative/helper.star": "def h():\n    return 'helped'\n",
		"relative/user.star":   "load('helper.star', 'h')\nload('//nets/unet.star', U='UNet')\ndef f():\n    return [h(), U()]\n",
	}
	p := open(t, files)
	for target, want := range map[string]string{
		"project.model.Net":       "5",
		"project.nets.unet.UNet":  "1",
		"project.nets.UNet":       "1",
		"project.data.Digits":     "2", // a folder beside the file holds data
		"project.deep.er.est.f":   "deep",
		"project.relative.user.f": "[helped 1]",
		"project.model.limit":     "'int' object is not callable",
		"project.model.Nte":       `model.star defines no "Nte"; did you mean "Net"?`,
		"project.modle.Net":       `the project has no modle.star; did you mean "model"?`,
		"project.old.Net":         "old.py is Python, which lighter does not run: port it to Starlark",
		"project.model.Net.x":     `"x" is within "Net"`,
		"project.broken.f":        "broken.star:1:7",
		"project.typo.f":          `typo.star:2:12: name 'vlaue' is not defined`,
		"project.circle.f":        "files load each other in a circle: circle.star -> circle2.star -> circle.star",
		"project.outside.f":       "is outside the project",
		"project.model":           "is a module",
		"project.../etc.passwd":   "is no identifier",
	} {
		args := map[string]any{"_target_": target}
		if target == "project.model.Net" {
			args["hidden"] = int64(5)
		}
		v, err := build(t, p, args)
		got := fmt.Sprint(v)
		if err != nil {
			got = ""
			for _, d := range diag.AsList(err) {
				got += d.Line()
			}
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", target, got, want)
		}
	}
}

func TestNoProjectWithoutAMarker(t *testing.T) {
	if p, err := project.Open(t.TempDir(), zerolog.Nop()); p != nil || err != nil {
		t.Errorf("got %v, %v", p, err)
	}
}

func TestALinkOutOfTheProjectIsNotFollowed(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret.star")
	if err := os.WriteFile(outside, []byte("key = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{project.Marker: "", "model.star": "load('secret.star', 'key')\ndef New():\n    return key\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "secret.star")); err != nil {
		t.Fatal(err)
	}
	p, err := project.Open(dir, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if v, err := build(t, p, map[string]any{"_target_": "project.model.New"}); err == nil {
		t.Errorf("the link was followed: %v", v)
	}
}

func TestLimits(t *testing.T) {
	for code, want := range map[string]string{
		"def New():\n    while True:\n        pass\n":                                                             "it takes too long",
		"def f(n):\n    return f(n + 1)\ndef New():\n    return f(0)\n":                                           "maximum recursion depth exceeded",
		"def New():\n    x = 'a'\n    while True:\n        x = x + x\n":                                           "too",
		"def New():\n    x = [0] * 1000000000\n":                                                                  "too",
		"def New():\n    return [i for i in range(1000000000)]\n":                                                 "too",
		"def New():\n    return 9 ** 9 ** 9\n":                                                                    "too",
		"def forward(self, x):\n    return self(x)\ndef New():\n    return torch.nn.Module(forward=forward)(1)\n": "maximum recursion depth exceeded",
	} {
		p := open(t, map[string]string{"model.star": code, project.Marker: "max_steps = 2_000_000\nmax_memory = \"64MB\"\n"})
		_, err := build(t, p, map[string]any{"_target_": "project.model.New"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", code, err, want)
		}
	}
}

func TestSettingsOfTheMarker(t *testing.T) {
	for text, want := range map[string]string{
		"max_steps = -1\n":         "__lighter__.star:1:1: max_steps must be a positive int",
		"max_memory = 'lots'\n":    "max_memory must be a size such as \"512MB\"",
		"def f():\n    return 1\n": "the marker of a project has no setting \"f\"",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, project.Marker), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := project.Open(dir, zerolog.Nop()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

const network = `
def forward(self, x, scale=1.0):
    h = torch.relu(self.inner(x)) * scale + self.shift
    return self.head(h) * self.weight

def inner_forward(self, x):
    return self.fc(x)

def New(width=3):
    inner = torch.nn.Module(forward=inner_forward, fc=torch.nn.Linear(2, width))
    net = torch.nn.Module(forward=forward, inner=inner, weight=torch.nn.Parameter(torch.ones(4)), head=torch.nn.Linear(width, 4))
    net.register_buffer("shift", torch.zeros(width))
    net.register_buffer("scratch", torch.zeros(1), persistent=False)
    return net
`

func TestModule(t *testing.T) {
	tensortest.Scope(t)
	m := made[lighter.Module](t, network, map[string]any{"width": int64(5)})
	var keys []string
	for _, n := range m.Tree().State() {
		keys = append(keys, n.Name)
	}
	if got, want := strings.Join(keys, " "), "weight shift inner.fc.weight inner.fc.bias head.weight head.bias"; got != want {
		t.Errorf("state_dict has %s, want %s", got, want)
	}
	if got := m.Tree().Class(); got != "New" {
		t.Errorf("the class is %s", got)
	}
	x := tensor.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
	out := m.Forward(x).(tensor.Tensor)
	if got := out.String(); got != "float32[2 4]" {
		t.Errorf("forward gives %s", got)
	}
	out.Mean().Backward()
	for _, p := range m.Tree().Params() {
		if !p.Value.Grad().Defined() {
			t.Errorf("%s has no gradient", p.Name)
		}
	}
	half := lighter.Call(m, []lighter.Value{x}, map[string]lighter.Value{"scale": 0.0}).(tensor.Tensor)
	if half.String() != "float32[2 4]" {
		t.Errorf("forward by keyword gives %s", half)
	}
}

func TestMistakesInUserCode(t *testing.T) {
	tensortest.Scope(t)
	call := func(v any) { v.(lighter.Module).Forward(tensor.FromSlice([]float32{1, 2}, 1, 2)) }
	for name, c := range map[string]struct {
		code string
		use  func(any)
		want []string
	}{
		"shapes": {"def forward(self, x):\n    y = x + 1\n    return self.fc(y)\ndef New():\n    return torch.nn.Module(forward=forward, fc=torch.nn.Linear(3, 1))\n", call,
			[]string{"model.star:3:19, in forward", "return self.fc(y)", "x: torch.Size([1, 2]) float32, y: torch.Size([1, 2]) float32", "mat1 and mat2 shapes cannot be multiplied (1x2 and 3x1)"}},
		"operator":   {"def forward(self, x):\n    return torch.rleu(x)\ndef New():\n    return torch.nn.Module(forward=forward)\n", call, []string{`has no attribute 'rleu'`, `did you mean "relu"?`}},
		"method":     {"def forward(self, x):\n    return x.sumn()\ndef New():\n    return torch.nn.Module(forward=forward)\n", call, []string{`'Tensor' object has no attribute 'sumn'`, `did you mean "sum"?`}},
		"attribute":  {"def forward(self, x):\n    return self.fc2(x)\ndef New():\n    return torch.nn.Module(forward=forward, fc=torch.nn.Linear(2, 1))\n", call, []string{`'New' object has no attribute 'fc2'`, `did you mean "fc"?`}},
		"argument":   {"def New():\n    return torch.nn.Linear(2, out_feature=1)\n", nil, []string{`unknown field "out_feature" for torch.nn.Linear`, `did you mean "out_features"?`, "model.star:2:"}},
		"no forward": {"def New():\n    return torch.nn.Module(fc=torch.nn.Linear(2, 1))\n", call, []string{`is missing the required "forward" function`}},
		"child":      {"def New():\n    m = torch.nn.Module(fc=torch.nn.Linear(2, 1))\n    m.fc = 3\n    return m\n", nil, []string{"cannot assign 'int' as child module 'fc'"}},
	} {
		got := failure(t, c.code, c.use)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: got\n%swant %s", name, got, want)
			}
		}
	}
}

// TestWhatLasts calls a module in scopes of their own, as a loop does.
func TestWhatLasts(t *testing.T) {
	const code = `
def forward(self, x):
    self.seen.append(x.mean())
    self.last = (x * 2, {"half": x / 2})
    if self.step == 2:
        return torch.stack(self.seen).sum() + self.last[1]["half"].sum() + self.before[0].sum()
    self.step += 1
    self.before = self.last
    return x

def New():
    return torch.nn.Module(forward=forward, seen=[], step=0)
`
	tensortest.Scope(t)
	m := made[lighter.Module](t, code, nil)
	var got float64
	for i := range 3 {
		s := tensor.Open()
		got = m.Forward(tensor.FromSlice([]float32{float32(i), float32(i)}, 2)).(tensor.Tensor).Mean().Item()
		s.Close()
	}
	if want := (0. + 1 + 2) + 2 + 4; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhatIsGone(t *testing.T) {
	const code = `
def forward(self, x):
    kept = [x]
    self.look = lambda: kept[0] + 1
    self.shelf["x"] = x
    return x

def New():
    held = {}
    def keep(self, x):
        held["x"] = x
        return x
    return torch.nn.Module(forward=forward, keep=keep, shelf={}, read=lambda self: held["x"] + self.shelf["x"])
`
	tensortest.Scope(t)
	m := made[lighter.Module](t, code, nil)
	s := tensor.Open()
	m.Forward(tensor.FromSlice([]float32{1}, 1))
	s.Close()
	runtime.GC() // what only code refers to is freed here
}

func TestMemoryOfUserCodeIsFlat(t *testing.T) {
	const code = `
def step(self, x):
    y = (x * 2).relu()
    self.total = self.total + y.sum()
    self.window = [y] + self.window[:3]
    return {"y": y, "rows": [r.sum() for r in y]}

def forward(self, x):
    return step(self, x)["y"]

def New():
    return torch.nn.Module(forward=forward, total=torch.tensor(0.0), window=[])
`
	tensortest.Scope(t)
	m := made[lighter.Module](t, code, nil)
	turn := func() {
		for range 300 {
			s := tensor.Open()
			m.Forward(tensor.FromSlice([]float32{1, 2, 3, 4}, 2, 2))
			s.Close()
		}
		for range 3 {
			runtime.GC()
		}
	}
	turn()
	before := tensor.Live()
	turn()
	if after := tensor.Live(); after > before+5 {
		t.Errorf("%d handles after 300 calls, %d before", after, before)
	}
}
