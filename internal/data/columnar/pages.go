package columnar

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

const (
	// What a page may hold of values that are all alike, and unpack to, whatever its size; writers begin another much earlier.
	mostPageValues = 1 << 22
	mostPageBytes  = 1 << 24
)

// inflation is more than a compression shrinks anything by; 0 is one without such a bound.
var inflation = map[format.CompressionCodec]int64{format.Uncompressed: 1, format.Snappy: 64, format.Gzip: deflateRatio, format.Lz4Raw: 256}

const deflateRatio = 1100

// checkPages looks at the headers of a column chunk's pages before parquet-go does, which allocates what they claim, and, on a
// damaged page of LZ4, doubles its buffer until memory ends.
func checkPages(r io.ReaderAt, size int64, m format.ColumnMetaData) error {
	at := m.DataPageOffset
	if m.DictionaryPageOffset != 0 {
		at = m.DictionaryPageOffset
	}
	if at < 0 || at > size || m.TotalCompressedSize < 0 || m.TotalCompressedSize > size-at {
		return fmt.Errorf("its pages are from byte %d on, %d bytes, but the file has %d", at, m.TotalCompressedSize, size)
	}
	chunk := make([]byte, m.TotalCompressedSize)
	if _, err := r.ReadAt(chunk, at); err != nil {
		return err
	}
	for n := 0; len(chunk) > 0; n++ {
		size, err := thriftStruct(chunk)
		var h format.PageHeader
		if err == nil {
			err = thrift.Unmarshal(new(thrift.CompactProtocol), chunk[:size], &h)
		}
		if err != nil {
			return fmt.Errorf("the header of page %d: %w", n, err)
		}
		chunk = chunk[size:]
		if h.CompressedPageSize < 0 || int(h.CompressedPageSize) > len(chunk) {
			return fmt.Errorf("page %d claims %d bytes, and %d are left", n, h.CompressedPageSize, len(chunk))
		}
		page := chunk[:h.CompressedPageSize]
		chunk = chunk[h.CompressedPageSize:]
		if err := checkPage(h, page, m.Codec); err != nil {
			return fmt.Errorf("page %d: %w", n, err)
		}
	}
	return nil
}

func checkPage(h format.PageHeader, page []byte, codec format.CompressionCodec) error {
	values := max(h.DataPageHeader.V.NumValues, h.DataPageHeaderV2.V.NumValues, h.DictionaryPageHeader.V.NumValues)
	least := min(h.DataPageHeader.V.NumValues, h.DataPageHeaderV2.V.NumValues, h.DictionaryPageHeader.V.NumValues)
	if int64(values) > mostPageValues+8*int64(h.UncompressedPageSize) || least < 0 {
		return fmt.Errorf("it claims %d values", values)
	}
	most, bounded := inflation[codec]
	if claimed := int64(h.UncompressedPageSize); claimed < 0 || claimed > most*int64(len(page)) && (bounded || claimed > mostPageBytes) {
		return fmt.Errorf("it claims to unpack from %d bytes to %d", len(page), claimed)
	}
	if codec != format.Lz4Raw || len(page) == 0 {
		return nil
	}
	levels := 0
	if v2 := h.DataPageHeaderV2; v2.Valid {
		if v2.V.IsCompressed.Valid && !v2.V.IsCompressed.V {
			return nil
		}
		repetition, definition := int(v2.V.RepetitionLevelsByteLength), int(v2.V.DefinitionLevelsByteLength)
		if levels = repetition + definition; repetition < 0 || definition < 0 || levels > min(len(page), int(h.UncompressedPageSize)) {
			return fmt.Errorf("it claims %d bytes of levels", levels)
		}
	}
	if len(page) == levels {
		return nil
	}
	out := make([]byte, int(h.UncompressedPageSize)-levels)
	if n, err := lz4.UncompressBlock(page[levels:], out); err != nil || n != len(out) {
		return fmt.Errorf("its LZ4 data are damaged: %d bytes of %d: %w", n, len(out), err)
	}
	return nil
}
