package vision

import (
	"fmt"
	"strconv"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// resnets are the rows of the family of https://arxiv.org/abs/1512.03385.
var resnets = []struct {
	name   string
	block  block
	blocks [4]int
	files  files
}{
	{"resnet18", basic, [4]int{2, 2, 2, 2}, files{"ResNet18_Weights", []file{{"IMAGENET1K_V1", "resnet18-f37072fd.pth"}}}},
	{"resnet34", basic, [4]int{3, 4, 6, 3}, files{"ResNet34_Weights", []file{{"IMAGENET1K_V1", "resnet34-b627a593.pth"}}}},
	{"resnet50", bottleneck, [4]int{3, 4, 6, 3}, files{"ResNet50_Weights", []file{{"IMAGENET1K_V1", "resnet50-0676ba61.pth"}, {"IMAGENET1K_V2", "resnet50-11ad3fa6.pth"}}}},
}

func init() {
	for _, r := range resnets {
		lighter.Register(models+r.name, ResNet{
			Progress: true, NumClasses: 1000, Groups: 1, WidthPerGroup: 64, name: r.name, block: r.block, blocks: r.blocks, files: r.files,
		}, models+"resnet."+r.name)
	}
}

const models = "torchvision.models."

// block is a residual block: its convolutions in order, and by how much its output is wider than planes.
type block struct {
	class     string
	convs     []convRow
	expansion int64
}

// convRow is a convolution of a block, which a norm follows.
type convRow struct {
	kernel  int64
	strided bool // has the block's stride
	middle  bool // has the block's groups and dilation
	wide    bool // gives planes·expansion channels, not the block's width
}

var (
	basic      = block{"BasicBlock", []convRow{{kernel: 3, strided: true}, {kernel: 3, wide: true}}, 1}
	bottleneck = block{"Bottleneck", []convRow{{kernel: 1}, {kernel: 3, strided: true, middle: true}, {kernel: 1, wide: true}}, 4}
)

// ResNet is torchvision.models.resnet18, resnet34 and resnet50: images [N, 3, H, W] to logits [N, num_classes].
type ResNet struct {
	Weights          Weights       `cfg:"weights" help:"a .pth file's path, or the name of torchvision's weights, as DEFAULT"`
	Progress         bool          `cfg:"progress,ignored" help:"nothing is downloaded"`
	NumClasses       int64         `cfg:"num_classes,aka=classes|n_classes|out_features" help:"size of the output"`
	ZeroInitResidual bool          `cfg:"zero_init_residual" help:"every block passes its input on at first"`
	Groups           int64         `cfg:"groups" help:"groups of channels in the middle convolution of a bottleneck"`
	WidthPerGroup    int64         `cfg:"width_per_group" help:"channels of each group where planes are 64"`
	ReplaceStride    []bool        `cfg:"replace_stride_with_dilation" help:"for the last three stages: dilate, and keep the size"`
	NormLayer        registry.Func `cfg:"norm_layer" help:"makes a norm of its channels; torch.nn.BatchNorm2d when null"`
	Pretrained       *bool         `cfg:"pretrained" help:"deprecated in torchvision: use weights"`

	name   string
	block  block
	blocks [4]int
	files  files
}

// Validate implements the registry's Validator.
func (c ResNet) Validate() error {
	switch {
	case c.ReplaceStride != nil && len(c.ReplaceStride) != 3:
		return lighter.FieldError("replace_stride_with_dilation", "replace_stride_with_dilation should be None or a 3-element tuple, got %v", c.ReplaceStride)
	case c.NumClasses < 0:
		return lighter.FieldError("num_classes", "Trying to create tensor with negative dimension %d", c.NumClasses)
	case c.Groups < 1:
		return lighter.FieldError("groups", "groups must be a positive integer")
	case c.block.expansion == 1 && c.Groups != 1:
		return lighter.FieldError("groups", "BasicBlock only supports groups=1 and base_width=64")
	case c.block.expansion == 1 && c.WidthPerGroup != 64:
		return lighter.FieldError("width_per_group", "BasicBlock only supports groups=1 and base_width=64")
	}
	for _, dilate := range c.ReplaceStride {
		if dilate && c.block.expansion == 1 {
			return lighter.FieldError("replace_stride_with_dilation", "Dilation > 1 not supported in BasicBlock")
		}
	}
	return c.files.check(c.weights(), c.NumClasses)
}

// weights is the argument, or what the deprecated one says.
func (c ResNet) weights() Weights {
	if c.Weights == "" && c.Pretrained != nil && *c.Pretrained {
		return "IMAGENET1K_V1"
	}
	return c.Weights
}

// Build implements the registry's Builder.
func (c ResNet) Build(env *lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	b := &builder{env: env, norm: c.NormLayer}
	m := &resnet{}
	m.SetClass("torchvision.models.resnet.ResNet")
	s := &resnetStages{builder: b, c: c, inplanes: 64, dilation: 1}
	m.Add("conv1", b.conv(3, 64, 7, 2, 3, 1, 1))
	m.Add("bn1", b.makeNorm(64))
	m.Add("relu", b.layer("torch.nn.ReLU", args{"inplace": true}))
	m.Add("maxpool", b.layer("torch.nn.MaxPool2d", args{"kernel_size": int64(3), "stride": int64(2), "padding": int64(1)}))
	for i, n := range c.blocks {
		dilate := i > 0 && c.ReplaceStride != nil && c.ReplaceStride[i-1]
		m.Add(fmt.Sprintf("layer%d", i+1), s.stage(int64(64)<<i, n, i > 0, dilate))
	}
	m.Add("avgpool", b.layer("torch.nn.AdaptiveAvgPool2d", args{"output_size": []any{int64(1), int64(1)}}))
	m.Add("fc", b.layer("torch.nn.Linear", args{"in_features": 512 * c.block.expansion, "out_features": c.NumClasses}))
	if b.err != nil {
		return nil, b.err
	}
	tensor.NoGrad(func() {
		m.Walk(func(_ string, n *lighter.Node) {
			if n.Target() == "torch.nn.Conv2d" {
				kaimingNormal(weightOf(n))
			}
		})
		for _, norm := range s.last {
			if c.ZeroInitResidual {
				if w := weightOf(norm.Tree()); w.Defined() {
					w.Fill(0)
				}
			}
		}
	})
	if w := c.weights(); w != "" {
		if err := c.files.load(env, m, w); err != nil {
			return nil, lighter.FieldError("weights", "%v", err)
		}
	}
	return m, nil
}

// resnetStages makes the four stages one after the other.
type resnetStages struct {
	*builder
	c                  ResNet
	inplanes, dilation int64
	last               []lighter.Module // the norm that ends each block
}

func (s *resnetStages) stage(planes int64, blocks int, strided, dilate bool) lighter.Module {
	stride, before := int64(1), s.dilation
	if strided {
		stride = 2
	}
	if dilate {
		s.dilation *= stride
		stride = 1
	}
	wide := planes * s.c.block.expansion
	var downsample lighter.Module
	if stride != 1 || s.inplanes != wide {
		downsample = s.sequence(s.conv(s.inplanes, wide, 1, stride, 0, 1, 1), s.makeNorm(wide))
	}
	all := []lighter.Module{s.residual(planes, stride, before, downsample)}
	s.inplanes = wide
	for range blocks - 1 {
		all = append(all, s.residual(planes, 1, s.dilation, nil))
	}
	return s.sequence(all...)
}

// residual makes a block.
func (s *resnetStages) residual(planes, stride, dilation int64, downsample lighter.Module) lighter.Module {
	m := &residual{}
	m.SetClass("torchvision.models.resnet." + s.c.block.class)
	var norm lighter.Module
	in, width := s.inplanes, planes*s.c.WidthPerGroup/64*s.c.Groups
	relu := func() {
		m.relu = len(m.Children())
		m.Add("relu", s.layer("torch.nn.ReLU", args{"inplace": true}))
	}
	for i, r := range s.c.block.convs {
		out, step, groups, spread := width, int64(1), int64(1), int64(1)
		if r.wide {
			out = planes * s.c.block.expansion
		}
		if r.strided {
			step = stride
		}
		if r.middle {
			groups, spread = s.c.Groups, dilation
		}
		m.convs = append(m.convs, len(m.Children()))
		m.Add("conv"+strconv.Itoa(i+1), s.conv(in, out, r.kernel, step, r.kernel/2*spread, groups, spread))
		norm = s.makeNorm(out)
		m.Add("bn"+strconv.Itoa(i+1), norm)
		if in = out; i == 0 && s.c.block.expansion == 1 {
			relu() // where torchvision's BasicBlock has it
		}
	}
	s.last = append(s.last, norm)
	if s.c.block.expansion > 1 {
		relu()
	}
	if downsample != nil {
		m.downsample = len(m.Children())
		m.Add("downsample", downsample)
	}
	return m
}

type resnet struct{ lighter.Node }

func (m *resnet) Forward(in ...lighter.Value) lighter.Value {
	x := lighter.Value(lighter.TensorArg(m.Class(), in, 0))
	last := len(m.Children()) - 1
	for i := range last {
		x = m.Run(i, x)
	}
	return m.Run(last, lighter.TensorArg(m.Class(), lighter.List{x}, 0).Flatten(1, -1))
}

// residual is a block: convolutions with norms, and the way around them.
type residual struct {
	lighter.Node
	convs            []int // places of the convolutions; each is followed by its norm, but for a relu between
	relu, downsample int   // downsample is 0 when there is none
}

func (m *residual) Forward(in ...lighter.Value) lighter.Value {
	x := lighter.Value(lighter.TensorArg(m.Class(), in, 0))
	identity := x
	for i, conv := range m.convs {
		x = m.Run(conv+1, m.Run(conv, x))
		if i < len(m.convs)-1 {
			x = m.Run(m.relu, x)
		}
	}
	if m.downsample > 0 {
		identity = m.Run(m.downsample, identity)
	}
	out := lighter.TensorArg(m.Class(), lighter.List{x}, 0)
	out.AddInPlace(lighter.TensorArg(m.Class(), lighter.List{identity}, 0), 1)
	return m.Run(m.relu, out)
}
