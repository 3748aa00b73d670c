select {% if var('run_day') > '2027-02-25' %} 'late' {% else %} 'early' {% endif %} as day
