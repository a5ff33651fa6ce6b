/* SPDX-License-Identifier: MIT */
/*
 * A flame graph as one SVG file, its root at the top, where browsers begin: opens in any browser
 * from anywhere, fetches nothing, zooms by a click, searches with Ctrl-F.  Without scripts it is
 * still a picture with a title on each frame:
 *
 *     NAME (N samples, P%, self N)
 *
 * Widths are shares of the metric, as on the screens; hues are those of the screens too.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "flame.h"
#include "formats.h"
#include "proftop/figures.h"
#include "proftop/gettext.h"
#include "proftop/json_writer.h"
#include "proftop/profile.h"
#include "proftop/text.h"
#include "report_view.h"
#include "src/export/svg_script.h"
#include "stacks.h"

enum { WIDTH = 1200, ROW = 17, TOP = 66, BOTTOM = 12, BOXES_MAX = 20000, NAME_MAX_BYTES = 512 };

static const double CHARACTER = 7.3; /* width of a letter of 12px monospace */

/* TEXT for XML: what XML cannot hold becomes U+FFFD. */
static void put_xml(FILE *stream, const char *text)
{
    while (*text != '\0') {
        int length;
        int32_t point = text_decode(text, &length);

        if (point == '<')
            fputs("&lt;", stream);
        else if (point == '>')
            fputs("&gt;", stream);
        else if (point == '&')
            fputs("&amp;", stream);
        else if (point == '"')
            fputs("&quot;", stream);
        else if (point < 0x20 || point == 0xfffe || point == 0xffff) /* also TEXT_INVALID */
            fputs("\xef\xbf\xbd", stream);
        else
            fwrite(text, 1, (size_t)length, stream);
        text += length;
    }
}

/* Warm for the program, as the hue of its function says; the kernel and Python apart. */
static void color_of(const struct fold *fold, const struct fold_node *node, char color[8])
{
    const struct function *function = node->process == 0 ? node_function(fold, node) : NULL;
    unsigned shade = function != NULL ? (unsigned)(function->hue >> 8 & 0x3f) : 0;
    unsigned hue = function != NULL ? (unsigned)(function->hue & 0x7f) : 0;

    if (function == NULL)
        snprintf(color, 8, "#b8c4c4");
    else if (function->kind == FRAME_KERNEL)
        snprintf(color, 8, "#%02x%02x%02x", 190 + shade / 2, 130 + shade / 2, 200 + shade / 2);
    else if (function->kind == FRAME_PYTHON)
        snprintf(color, 8, "#%02x%02x%02x", 90 + shade, 150 + shade, 215);
    else if (function->kind == FRAME_JIT)
        snprintf(color, 8, "#%02x%02x%02x", 110 + shade, 195, 110 + shade / 2);
    else
        snprintf(color, 8, "#%02x%02x%02x", 215 + shade / 2, 80 + hue, 40 + shade / 2);
}

/* What fits of NAME into a box; nothing below three characters. */
static void put_fitting(FILE *stream, const char *name, double width)
{
    int room = (int)((width - 4) / CHARACTER);
    char text[NAME_MAX_BYTES];

    if (room < 3)
        return;
    text_fit(text, sizeof(text), name, room, false);
    put_xml(stream, text);
}

static void put_box(const struct fold *fold, const struct flame_box *box, FILE *stream)
{
    const struct fold_node *node = &fold->nodes[box->node];
    double x = (double)box->start / (double)fold->weight;
    double w = (double)node->total / (double)fold->weight;
    unsigned y = TOP + node->depth * ROW;
    char color[8] = "#d0d0c8", buffer[NAME_MAX_BYTES], a[40], b[40];
    const char *name = "all";

    if (box->node != NODE_ROOT) {
        name = node_name(fold, node, buffer, sizeof(buffer));
        color_of(fold, node, color);
    }
    fprintf(stream, "<g class=\"f\" data-x=\"%s\" data-w=\"%s\" data-name=\"", plain_number(a, x),
            plain_number(b, w));
    put_xml(stream, name);
    fputs("\"><title>", stream);
    put_xml(stream, name);
    fprintf(stream, " (%" PRIu64 " samples, %s%%, self %" PRIu64 ")", node->total_samples,
            plain_number(a, (double)(int64_t)(w * 10000 + 0.5) / 100), node->self_samples);
    if (box->node != NODE_ROOT && node->process == 0) {
        putc(' ', stream);
        put_xml(stream, node_function(fold, node)->module);
    }
    fprintf(stream, "</title><rect x=\"%s\" y=\"%u\" width=\"%s\" height=\"%d\" fill=\"%s\"/>",
            plain_number(a, x * WIDTH), y, plain_number(b, w * WIDTH), ROW - 1, color);
    fprintf(stream, "<text x=\"%s\" y=\"%u\">", plain_number(a, x * WIDTH + 3), y + 12);
    put_fitting(stream, name, w * WIDTH);
    fputs("</text></g>\n", stream);
}

static void put_head(const struct fold *fold, const struct flame *flame, FILE *stream)
{
    const struct profile_info *info = profile_info(fold->profile);
    unsigned height = TOP + BOTTOM + (flame->depth + 1) * ROW;
    char weight[80];

    fprintf(stream,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" "
            "viewBox=\"0 0 %d %u\" data-width=\"%d\">\n"
            "<style>text { font: 12px monospace; fill: #111; pointer-events: none }\n"
            "#search, #reset { cursor: pointer; pointer-events: auto; fill: #225 }\n"
            "g.f { cursor: pointer } g.f:hover rect { stroke: #000 }\n"
            "g.outer { opacity: 0.6 } g.match rect { fill: #e600e6 }</style>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#f8f8f4\"/>\n<text x=\"10\" y=\"20\">",
            WIDTH, height, WIDTH, height, WIDTH);
    put_xml(stream, info->command != NULL ? info->command : "proftop");
    fprintf(stream, "</text>\n<text x=\"10\" y=\"38\">");
    fprintf(stream, "%" PRIu64 " samples, %s, ±", fold->samples,
            weight_text(weight, fold, fold->weight));
    fprintf(stream, "%s points", plain_number(weight, (double)(int)(fold->error_pt * 10) / 10));
    if (flame->left_out > 0)
        fprintf(stream, "; %" PRIu32 " frames are too narrow to be shown", flame->left_out);
    fprintf(stream,
            "</text>\n<text id=\"reset\" x=\"%d\" y=\"20\">reset zoom</text>\n"
            "<text id=\"search\" x=\"%d\" y=\"20\">search</text>\n"
            "<text id=\"matched\" x=\"%d\" y=\"38\"> </text>\n"
            "<text id=\"details\" x=\"10\" y=\"56\"> </text>\n",
            WIDTH - 170, WIDTH - 70, WIDTH - 220);
}

static bool write_svg(const struct fold *fold, const struct export_options *options, FILE *stream,
                      struct error *error)
{
    struct flame flame;

    (void)options;
    (void)error;
    flame_init(&flame, fold, BOXES_MAX);
    put_head(fold, &flame, stream);
    for (uint32_t i = 0; i < flame.count; i++)
        put_box(fold, &flame.boxes[i], stream);
    fputs("<script><![CDATA[\n", stream);
    fputs(svg_script, stream);
    fputs("]]></script>\n</svg>\n", stream);
    flame_fini(&flame);
    return true;
}

const struct export_ops export_svg = {
    .name = "svg",
    .extension = ".svg",
    .label = N_("a flame graph (SVG)"),
    .write = write_svg,
};
