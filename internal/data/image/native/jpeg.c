#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "libjpeg/jpeglib.h"
#include "native.h"

typedef struct {
  struct jpeg_decompress_struct cinfo;
  struct jpeg_error_mgr errors;
  struct jpeg_source_mgr source;
  jmp_buf broken;
  int starved; // the file ended while more was asked for
  int said;    // info has a message already
} decoder;

static decoder *of(j_decompress_ptr c) { return (decoder *)c->client_data; }

static void fail(j_common_ptr c) { longjmp(((decoder *)c->client_data)->broken, 1); }
static void quiet(j_common_ptr c) { (void)c; }
static void nothing(j_decompress_ptr c) { (void)c; }

// All of the file is in memory, so more cannot come: the library suspends, as it does with Pillow at a file's end.
static boolean no_more(j_decompress_ptr c) {
  of(c)->starved = 1;
  return FALSE;
}

static void skip(j_decompress_ptr c, long n) {
  if (n <= 0) return;
  if ((size_t)n > c->src->bytes_in_buffer) {
    of(c)->starved = 1;
    n = (long)c->src->bytes_in_buffer;
  }
  c->src->next_input_byte += n;
  c->src->bytes_in_buffer -= n;
}

static void begin(decoder *d) {
  memset(d, 0, sizeof *d);
  d->cinfo.err = jpeg_std_error(&d->errors);
  d->errors.error_exit = fail;
  d->errors.output_message = quiet;
  d->cinfo.client_data = d;
}

static void open_source(decoder *d, const uint8_t *data, size_t size) {
  d->source.init_source = nothing;
  d->source.fill_input_buffer = no_more;
  d->source.skip_input_data = skip;
  d->source.resync_to_restart = jpeg_resync_to_restart;
  d->source.term_source = nothing;
  d->source.next_input_byte = data;
  d->source.bytes_in_buffer = size;
  d->cinfo.src = &d->source;
}

// end frees what the decoder has and gives its verdict.
static int end(decoder *d, lj_info *info, int verdict) {
  if (verdict == LJ_BROKEN && !d->said) (*d->errors.format_message)((j_common_ptr)&d->cinfo, info->message);
  if (verdict == LJ_TRUNCATED) info->left = d->source.bytes_in_buffer;
  jpeg_destroy_decompress(&d->cinfo);
  return verdict;
}

// read_head begins a decoder, reads the file's head and asks for the colours that Pillow asks for.
static int read_head(decoder *d, const uint8_t *data, size_t size, lj_info *info) {
  j_decompress_ptr c = &d->cinfo;
  jpeg_create_decompress(c);
  open_source(d, data, size);
  int got;
  do got = jpeg_read_header(c, FALSE);
  while (got == JPEG_HEADER_TABLES_ONLY);
  if (got == JPEG_SUSPENDED) return LJ_TRUNCATED;
  info->width = (int)c->image_width;
  info->height = (int)c->image_height;
  info->bands = c->num_components;
  switch (c->num_components) {
  case 1: c->out_color_space = JCS_GRAYSCALE; break;
  case 3: c->out_color_space = JCS_RGB; break;
  case 4: c->out_color_space = JCS_CMYK; break;
  default:
    snprintf(info->message, sizeof info->message, "cannot handle %d-layer images", c->num_components);
    d->said = 1;
    return LJ_BROKEN;
  }
  if (c->data_precision != 8) {
    snprintf(info->message, sizeof info->message, "cannot handle %d-bit layers", c->data_precision);
    d->said = 1;
    return LJ_BROKEN;
  }
  return LJ_OK;
}

// ends_whole looks for the marker of the image's end, which is among the last bytes of a file that was not cut.
static int ends_whole(const uint8_t *data, size_t size) {
  for (size_t i = size; i >= 2; i--)
    if (data[i - 1] == 0xd9 && data[i - 2] == 0xff) return 1;
  return 0;
}

int lj_head(const uint8_t *data, size_t size, lj_info *info) {
  decoder d;
  begin(&d);
  if (setjmp(d.broken)) return end(&d, info, LJ_BROKEN);
  int got = read_head(&d, data, size, info);
  if (got == LJ_OK) {
    // One sequential scan, begun without an error, has only warnings left, which Pillow ignores.
    int one = !d.cinfo.progressive_mode && !d.cinfo.arith_code && !jpeg_has_multiple_scans(&d.cinfo);
    info->cropped = one && ends_whole(d.source.next_input_byte, d.source.bytes_in_buffer) && jpeg_start_decompress(&d.cinfo);
  }
  return end(&d, info, got);
}

// margin is enough columns beside the wanted ones for the upsampling of the colours to see its neighbours: their samples
// are at most 4 pixels wide.
enum { margin = 8 };

// narrow limits the decoding to the columns from left on and returns how many come before them.
static int narrow(j_decompress_ptr c, int left, int w) {
  int from = left > margin ? left - margin : 0;
  int to = left + w + margin < (int)c->image_width ? left + w + margin : (int)c->image_width;
  JDIMENSION x = from, n = to - from;
  if (n < c->image_width) jpeg_crop_scanline(c, &x, &n);
  else x = 0;
  return left - (int)x;
}

int lj_decode(const uint8_t *data, size_t size, int top, int left, int h, int w, uint8_t *out, lj_info *info) {
  decoder d;
  begin(&d);
  if (setjmp(d.broken)) return end(&d, info, LJ_BROKEN);
  int got = read_head(&d, data, size, info);
  if (got != LJ_OK) return end(&d, info, got);
  j_decompress_ptr c = &d.cinfo;
  if (!jpeg_start_decompress(c)) return end(&d, info, LJ_TRUNCATED);
  int before = 0, wide = w < (int)c->image_width;
  if (wide) before = narrow(c, left, w);
  size_t row = (size_t)w * c->out_color_components;
  JSAMPROW line = NULL;
  if (wide) line = (*c->mem->alloc_large)((j_common_ptr)c, JPOOL_IMAGE, (size_t)c->output_width * c->out_color_components);
  if (top > 0) jpeg_skip_scanlines(c, top);
  for (int y = 0; y < h; y++, out += row) {
    JSAMPROW to = wide ? line : out;
    if (jpeg_read_scanlines(c, &to, 1) != 1) return end(&d, info, LJ_TRUNCATED);
    if (wide) memcpy(out, line + (size_t)before * c->out_color_components, row);
  }
  if (top > 0 && d.starved) return end(&d, info, LJ_TRUNCATED); // skipping does not say so
  return end(&d, info, LJ_OK);
}
