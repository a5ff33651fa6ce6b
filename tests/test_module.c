/* SPDX-License-Identifier: MIT */
/* Modules: one per file, descriptors taken over, images copied. */
#include "config.h"

#include "proftop/module.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/testing.h"

static struct module file(const char *path, uint64_t inode)
{
    return (struct module){
        .kind = MODULE_FILE,
        .path = path,
        .name = path,
        .fd = -1,
        .device = 1,
        .inode = inode,
        .size_bytes = 100,
        .mtime_ns = 5,
    };
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void module_none_is_there_from_the_start(void **state)
{
    struct modules *modules = modules_new();

    (void)state;
    assert_int_equal(modules_count(modules), 1);
    assert_int_equal(modules_get(modules, MODULE_NONE)->kind, MODULE_UNKNOWN);
    assert_null(modules_get(modules, 1));
    modules_free(modules);
    modules_free(NULL);
}

static void the_same_file_is_one_module(void **state)
{
    struct modules *modules = modules_new();
    struct module wanted = file("/bin/a", 7);
    const struct module *first = modules_add(modules, &wanted);

    (void)state;
    assert_ptr_equal(modules_add(modules, &wanted), first);
    assert_ptr_equal(modules_get(modules, first->id), first);
    assert_int_equal(modules_count(modules), 2);
    modules_free(modules);
}

static void a_file_that_changed_is_another_module(void **state)
{
    struct modules *modules = modules_new();
    struct module wanted = file("/bin/a", 7);
    module_id first = modules_add(modules, &wanted)->id;

    (void)state;
    wanted.mtime_ns++;
    assert_int_not_equal(modules_add(modules, &wanted)->id, first);
    wanted = file("/bin/a", 8);
    assert_int_not_equal(modules_add(modules, &wanted)->id, first);
    wanted = file("/bin/a", 7);
    wanted.size_bytes++;
    assert_int_not_equal(modules_add(modules, &wanted)->id, first);
    assert_int_equal(modules_count(modules), 5);
    modules_free(modules);
}

static void build_ids_tell_apart_only_when_both_are_known(void **state)
{
    struct modules *modules = modules_new();
    struct module wanted = file("/bin/a", 7);
    module_id unread = modules_add(modules, &wanted)->id, one;

    (void)state;
    wanted.build_id_size = 20;
    memset(wanted.build_id, 1, 20);
    assert_int_equal(modules_add(modules, &wanted)->id, unread);

    wanted.inode = 8;
    one = modules_add(modules, &wanted)->id;
    memset(wanted.build_id, 2, 20);
    assert_int_not_equal(modules_add(modules, &wanted)->id, one);
    modules_free(modules);
}

static void descriptors_are_taken_over(void **state)
{
    struct modules *modules = modules_new();
    struct module wanted = file("/dev/null", 7);
    int first = open("/dev/null", O_RDONLY), second = open("/dev/null", O_RDONLY);

    (void)state;
    wanted.fd = first;
    modules_add(modules, &wanted);
    wanted.fd = second;
    assert_int_equal(modules_add(modules, &wanted)->fd, first);
    assert_true(is_open(first));
    assert_false(is_open(second));
    modules_free(modules);
    assert_false(is_open(first));
}

static void texts_and_images_are_copied(void **state)
{
    struct modules *modules = modules_new();
    char path[] = "[vdso]";
    uint8_t image[] = { 1, 2, 3 };
    struct module wanted = {
        .kind = MODULE_VDSO,
        .path = path,
        .name = path,
        .fd = -1,
        .trouble = path,
        .image = image,
        .image_size = 3,
    };
    const struct module *module = modules_add(modules, &wanted);

    (void)state;
    path[0] = 'x';
    image[0] = 9;
    assert_string_equal(module->path, "[vdso]");
    assert_string_equal(module->name, "[vdso]");
    assert_string_equal(module->trouble, "[vdso]");
    assert_int_equal(module->image[0], 1);
    modules_free(modules);
}

static void jit_modules_differ_by_process_and_exec(void **state)
{
    struct modules *modules = modules_new();
    struct module wanted = { .kind = MODULE_JIT, .path = "", .name = "[jit]", .fd = -1, .pid = 10 };
    module_id first = modules_add(modules, &wanted)->id;

    (void)state;
    wanted.generation = 1;
    assert_int_not_equal(modules_add(modules, &wanted)->id, first);
    wanted.generation = 0;
    wanted.pid = 11;
    assert_int_not_equal(modules_add(modules, &wanted)->id, first);
    wanted.pid = 10;
    assert_int_equal(modules_add(modules, &wanted)->id, first);
    modules_free(modules);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(module_none_is_there_from_the_start),
        cmocka_unit_test(the_same_file_is_one_module),
        cmocka_unit_test(a_file_that_changed_is_another_module),
        cmocka_unit_test(build_ids_tell_apart_only_when_both_are_known),
        cmocka_unit_test(descriptors_are_taken_over),
        cmocka_unit_test(texts_and_images_are_copied),
        cmocka_unit_test(jit_modules_differ_by_process_and_exec),
    };

    return cmocka_run_group_tests_name("module", tests, NULL, NULL);
}
