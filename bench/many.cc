/* SPDX-License-Identifier: MIT */
/*
 * A C++ program of several units, each with values of its own kinds in the standard library's
 * containers and algorithms, as programs have: compiled with -DUNIT=1, 2, … UNITS, and without for
 * main().
 */
#include <algorithm>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

template <int unit> int run(int rounds);

#ifdef UNIT

namespace {

template <int kind> struct record {
    std::string name;
    std::vector<double> values;
    long weight = kind;

    bool operator<(const record &other) const
    {
        return weight != other.weight ? weight < other.weight : name < other.name;
    }
    bool operator==(const record &other) const { return weight == other.weight; }
    double sum() const { return std::accumulate(values.begin(), values.end(), 0.0); }
};

template <int kind> std::ostream &operator<<(std::ostream &out, const record<kind> &value)
{
    return out << value.name << ':' << value.weight << ':' << value.sum();
}

template <int kind> class store {
  public:
    using item = record<kind>;

    void add(int number)
    {
        item made{ std::to_string(number), std::vector<double>(number % 7, kind), number * kind };

        by_name_.emplace(made.name, made);
        sorted_.insert(made);
        queue_.push_back(std::make_shared<item>(made));
        groups_[number % 10].push_back(std::move(made));
        if (number % 3 == 0)
            mixed_.emplace_back(number);
        else if (number % 3 == 1)
            mixed_.emplace_back(std::to_string(number));
        else
            mixed_.emplace_back(*queue_.back());
    }

    long work()
    {
        std::ostringstream out;
        std::vector<item> all;
        long total = 0;

        for (auto &[group, items] : groups_) {
            items.sort();
            items.unique();
            std::copy_if(items.begin(), items.end(), std::back_inserter(all),
                         [group = group](const item &one) { return one.weight % 10 != group; });
        }
        std::stable_sort(all.begin(), all.end(),
                         [](const item &a, const item &b) { return a.name > b.name; });
        std::partial_sort(all.begin(), all.begin() + all.size() / 2, all.end());
        std::rotate(all.begin(), all.begin() + all.size() / 3, all.end());
        all.erase(std::remove_if(all.begin(), all.end(), [](const item &one) { return one.sum() > 9; }),
                  all.end());
        while (queue_.size() > 10) {
            total += queue_.front()->weight;
            queue_.pop_front();
        }
        for (const auto &one : mixed_)
            std::visit([&](const auto &value) { out << value << ' '; }, one);
        for (const auto &one : sorted_)
            out << one;
        std::function<bool(const item &)> known = [this](const item &one) {
            return by_name_.find(one.name) != by_name_.end();
        };
        total += std::count_if(all.begin(), all.end(), known);
        return total + static_cast<long>(out.str().size());
    }

  private:
    std::unordered_map<std::string, item> by_name_;
    std::multiset<item> sorted_;
    std::deque<std::shared_ptr<item>> queue_;
    std::map<int, std::list<item>> groups_;
    std::vector<std::variant<int, std::string, item>> mixed_;
};

template <int kind> long fill(int rounds)
{
    store<kind> filled;

    for (int i = 0; i < rounds; i++)
        filled.add(i);
    return filled.work();
}

} /* namespace */

template <> int run<UNIT>(int rounds)
{
    return static_cast<int>(fill<1>(rounds) + fill<2>(rounds) + fill<3>(rounds));
}

#else

int main(int argc, char **)
{
    return run<1>(argc) + run<2>(argc) + run<3>(argc) + run<4>(argc) == 0;
}

#endif
