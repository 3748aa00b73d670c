select {{ flags.FULL_REFRESH }} as flag, '{{ "all" if should_full_refresh() else "some" }}' as kind
