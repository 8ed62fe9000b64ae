package files

import (
	"fmt"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data"
	"github.com/lighter-go/lighter/internal/data/shard"
	"github.com/lighter-go/lighter/internal/data/transform"
	"github.com/lighter-go/lighter/internal/registry"
)

// WebDataset is `lighter.datasets.WebDataset`: the samples of tar archives, streamed.
type WebDataset struct {
	URLs            Strings            `cfg:"urls,required,aka=url|path|paths|shards" help:"the archives: \"train-{000..012}.tar\", \"data/*.tar\", or a list"`
	ToTuple         Strings            `cfg:"to_tuple,aka=keys|fields|tuple" help:"the files of a sample, by extension: \"jpg;png cls\" or [jpg;png, cls]"`
	Decode          string             `cfg:"decode" help:"images: for transforms (pil), or tensors of float32 or uint8" oneof:"pil|pill|pilrgb|pilrgba|torch|torchl|torchrgb|torchrgba|torchl8|torchrgb8|torchrgba8"`
	Transform       transform.Argument `cfg:"transform" help:"what is done to the first of to_tuple; to the dict without it"`
	TargetTransform transform.Argument `cfg:"target_transform" help:"what is done to the second of to_tuple"`
	Shuffle         int                `cfg:"shuffle,aka=shuffle_buffer|bufsize" help:"samples in the buffer that the next one is drawn from; 0 keeps the order"`
	Initial         int                `cfg:"initial" help:"samples in the buffer before the first is drawn"`
	ShardShuffle    bool               `cfg:"shardshuffle,aka=shuffle_shards" help:"a new order of the archives in each epoch"`
	Length          *int               `cfg:"length,aka=epoch_size|num_samples" help:"samples of an epoch, where something must know; not checked"`
}

// Doc is the reference's text.
func (WebDataset) Doc() string {
	return `Samples in tar archives as the webdataset library has them: files that follow each other and have one name up to the first point
are a sample. The archives, also of gzip or bzip2, are read from the first byte to the last and never unpacked to the disk;
only local files are. Braces, lists and * name several.

A file is decoded by its extension: images (jpg, jpeg, png, webp, bmp, tif, tiff, gif) as ` + "`decode`" + ` says, cls, cls2, index, inx and id to an int,
txt, text and transcript to a text, json and jsn to what they hold, npy and npz to tensors, pth to what torch.save wrote, read as
data, pkl and pickle to arrays, numbers and texts, read as data; one that ends in .gz is unpacked first. Others stay as they are, as a
text of bytes. ` + "`to_tuple`" + ` makes a sample of (input, target); "jpg;png" takes what there is. Without it a sample is a
dict by extension with __key__ and __url__.

As in webdataset, ` + "`shuffle`" + ` draws from a buffer that is filled as it is emptied, and ` + "`shardshuffle`" + ` changes the order of the archives;
use both. One thread reads, and the loader's threads decode and transform, so the order does not depend on num_workers. A fit that goes
on within an epoch reads past the samples it has seen.

    dataset:
      _target_: lighter.datasets.WebDataset
      urls: data/train-{000..012}.tar
      to_tuple: [jpg;png, cls]
      shuffle: 1000
      shardshuffle: true
      transform:
        _target_: torchvision.transforms.Compose
        transforms:
          - {_target_: torchvision.transforms.RandomResizedCrop, size: 224}
          - {_target_: torchvision.transforms.ToTensor}`
}

// Validate checks what needs no file.
func (c WebDataset) Validate() error {
	switch {
	case len(c.URLs) == 0:
		return lighter.FieldError("urls", "at least one archive is needed")
	case c.Shuffle < 0:
		return lighter.FieldError("shuffle", "must be at least 0, got %d", c.Shuffle)
	case c.Initial < 1:
		return lighter.FieldError("initial", "must be at least 1, got %d", c.Initial)
	case c.Length != nil && *c.Length < 1:
		return lighter.FieldError("length", "must be at least 1, got %d", *c.Length)
	case c.TargetTransform.Given() && len(c.tuple()) < 2:
		return lighter.FieldError("target_transform", "needs a to_tuple of two or more")
	}
	return nil
}

// tuple are the alternatives of each place.
func (c WebDataset) tuple() (places [][]string) {
	for _, item := range c.ToTuple {
		for _, place := range strings.Fields(item) {
			places = append(places, strings.Split(strings.ToLower(place), ";"))
		}
	}
	return places
}

// Build finds the archives. None is opened before an epoch begins, but for a look whether the first one is there.
func (c WebDataset) Build(*lighter.Env) (lighter.IterableDataset, error) {
	urls, err := shard.Expand(c.URLs)
	if err != nil {
		return nil, data.Unreadable("urls", err)
	}
	for _, url := range urls {
		if strings.Contains(url, "://") || strings.HasPrefix(url, "pipe:") {
			return nil, lighter.FieldError("urls", "%q is not a local file: only those are read", url)
		}
	}
	r, err := shard.Open(urls[0])
	if err != nil {
		return nil, data.Unreadable("urls", err)
	}
	if err := r.Close(); err != nil {
		return nil, data.Unreadable("urls", err)
	}
	d := &webDataset{urls: urls, arguments: c, tuple: c.tuple()}
	if c.Length != nil {
		return sizedWebDataset{d, *c.Length}, nil
	}
	return d, nil
}

// Strings is a text or a list of them.
type Strings []string

// DecodeConfig implements [registry.Decoder].
func (s *Strings) DecodeConfig(v any) error {
	*s = nil
	items, ok := v.([]any)
	if !ok && v != nil {
		items = []any{v}
	}
	for _, item := range items {
		text, ok := item.(string)
		if !ok {
			return fmt.Errorf("must be %s, got %s", s.ConfigType(), lighter.TypeName(item))
		}
		*s = append(*s, text)
	}
	return nil
}

// ConfigType implements [registry.Decoder].
func (*Strings) ConfigType() string { return "a str or a list of them" }

type webDataset struct {
	urls      []string
	arguments WebDataset
	tuple     [][]string
}

type sizedWebDataset struct {
	*webDataset
	n int
}

// Len implements [lighter.Sized].
func (d sizedWebDataset) Len() int { return d.n }

// Stream implements [lighter.IterableDataset].
func (d *webDataset) Stream(r lighter.Rand) (lighter.Stream, error) {
	s := &shardStream{dataset: d, rand: r, urls: d.urls}
	if d.arguments.ShardShuffle {
		s.urls = make([]string, len(d.urls))
		for k, i := range r.Perm(len(d.urls)) {
			s.urls[k] = d.urls[i]
		}
	}
	return s, nil
}

// shardStream is an epoch: archives one after the other, and a buffer.
type shardStream struct {
	dataset *webDataset
	rand    lighter.Rand
	urls    []string // that are left
	reader  *shard.Reader
	buffer  []*shard.Sample
}

// read gives the next sample of the archives; nil at the end.
func (s *shardStream) read() (*shard.Sample, error) {
	for {
		if s.reader == nil {
			if len(s.urls) == 0 {
				return nil, nil
			}
			var err error
			if s.reader, err = shard.Open(s.urls[0]); err != nil {
				return nil, &lighter.DataError{Err: err}
			}
			s.urls = s.urls[1:]
		}
		sample, err := s.reader.Next()
		if err != nil {
			return nil, &lighter.DataError{Err: err}
		}
		if sample != nil {
			return sample, nil
		}
		if err := s.Close(); err != nil {
			return nil, err
		}
	}
}

// Next reads on, as webdataset's shuffle does: two samples for one that is given until the buffer is full.
func (s *shardStream) Next() (p lighter.Pending, ok bool, err error) {
	size := s.dataset.arguments.Shuffle
	if size < 2 {
		sample, err := s.read()
		return s.pending(sample), sample != nil, err
	}
	for {
		sample, err := s.read()
		if err != nil {
			return p, false, err
		}
		if sample == nil {
			break
		}
		s.buffer = append(s.buffer, sample)
		if len(s.buffer) < size {
			if sample, err = s.read(); err != nil {
				return p, false, err
			}
			if sample != nil {
				s.buffer = append(s.buffer, sample)
			}
		}
		if len(s.buffer) >= min(s.dataset.arguments.Initial, size) {
			return s.pending(s.pick()), true, nil
		}
	}
	if len(s.buffer) == 0 {
		return p, false, nil
	}
	return s.pending(s.pick()), true, nil
}

// pick takes a sample of the buffer out; the last takes its place.
func (s *shardStream) pick() *shard.Sample {
	k, last := s.rand.Int(0, int64(len(s.buffer))), len(s.buffer)-1
	sample := s.buffer[k]
	s.buffer[k] = s.buffer[last]
	s.buffer[last] = nil
	s.buffer = s.buffer[:last]
	return sample
}

func (s *shardStream) pending(sample *shard.Sample) lighter.Pending {
	if sample == nil {
		return lighter.Pending{}
	}
	return lighter.Pending{Where: sample.Where(), Make: func(r lighter.Rand) (lighter.Value, error) { return s.dataset.sample(sample, r) }}
}

// Close closes the archive under way.
func (s *shardStream) Close() error {
	if s.reader == nil {
		return nil
	}
	r := s.reader
	s.reader = nil
	return r.Close()
}

func init() {
	registry.Register[lighter.IterableDataset]("lighter.datasets.WebDataset", WebDataset{Decode: "pil", Initial: 100})
}
