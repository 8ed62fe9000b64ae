package vision

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/internal/data/transform"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// FakeData is torchvision.datasets.FakeData.
type FakeData struct {
	Size            int                `cfg:"size" help:"the number of images"`
	ImageSize       []int64            `cfg:"image_size" help:"channels, height and width"`
	NumClasses      int                `cfg:"num_classes" help:"the number of classes"`
	Transform       transform.Argument `cfg:"transform" help:"what is done to each image"`
	TargetTransform transform.Argument `cfg:"target_transform" help:"what is done to each class, an int"`
	RandomOffset    int64              `cfg:"random_offset" help:"added to a sample's number for its seed"`
}

// Doc is the reference's text.
func (FakeData) Doc() string {
	return "Random images with random classes, the same for the same number and random_offset. They are made when the data set is built and kept."
}

// Validate checks the sizes.
func (c FakeData) Validate() error {
	if c.Size < 0 {
		return lighter.FieldError("size", "must not be negative, got %d", c.Size)
	}
	if len(c.ImageSize) != 3 || c.ImageSize[0] < 1 || c.ImageSize[0] > 4 || c.ImageSize[1] < 1 || c.ImageSize[2] < 1 {
		return lighter.FieldError("image_size", "must be channels (1 to 4), height and width, got %v", c.ImageSize)
	}
	if c.NumClasses < 1 {
		return lighter.FieldError("num_classes", "must be at least 1, got %d", c.NumClasses)
	}
	if n := int64(c.Size) * c.ImageSize[0] * c.ImageSize[1] * c.ImageSize[2]; n > maxData {
		return lighter.FieldError("size", "%d images of %v are %d bytes, too many to keep", c.Size, c.ImageSize, n)
	}
	return nil
}

// Build makes the images on the thread of the run: seeding reaches the default generator, whose numbers are put back.
func (c FakeData) Build(*lighter.Env) (_ lighter.Dataset, err error) {
	defer tensor.Recover(&err)
	s := tensor.Open()
	defer s.Close()
	defer tensor.SetRNGState(tensor.Device{}, tensor.RNGState(tensor.Device{}))
	mode := []image.Mode{image.L, image.LA, image.RGB, image.RGBA}[c.ImageSize[0]-1]
	var pix []byte
	classes := make([]int64, c.Size)
	for i := range classes {
		m, class := c.make(int64(i))
		pix = append(pix, m...)
		classes[i] = class
	}
	return inMemory(mode, int(c.ImageSize[1]), int(c.ImageSize[2]), pix, classes, c.Transform, c.TargetTransform), nil
}

// make draws image i as torchvision does, whose conversion to bytes drops all but the low ones.
func (c FakeData) make(i int64) (pix []byte, class int64) {
	s := tensor.Open()
	defer s.Close()
	tensor.ManualSeed(uint64(i + c.RandomOffset))
	t := tensor.CallOne("randn", c.ImageSize)
	class = tensor.CallOne("randint", 0, c.NumClasses, []int64{1}, tensor.Kwarg{Name: "dtype", Value: tensor.Int64}).Int()
	t = t.MulScalar(255).To(t.Device(), tensor.Int32).To(t.Device(), tensor.Uint8)
	return tensor.CallOne("permute", t, []int64{1, 2, 0}).Contiguous().Bytes(), class
}

func init() {
	registry.Register[lighter.Dataset]("torchvision.datasets.FakeData", FakeData{Size: 1000, ImageSize: []int64{3, 224, 224}, NumClasses: 10}, "torchvision.datasets.fakedata.FakeData")
}
