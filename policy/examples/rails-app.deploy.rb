# SPDX-License-Identifier: ISC
# config/deploy.rb for Capistrano 3. deploy owns the code and rails runs it: no sudo, and nothing of the app runs as deploy.
lock '~> 3.17'

set :application, 'rails-app'
set :repo_url, '/srv/git/rails-app.git'
set :deploy_to, '/srv/rails-app'
set :linked_dirs, %w[log tmp public/assets]

%w[bundle rake passenger-config].each do |command|
  SSHKit.config.command_map.prefix[command].push('runas-app rails-app --')
end
SSHKit.config.command_map.prefix[:rake].push('bundle exec')

namespace :deploy do
  # In the new release, before it is current: the policy's directory_below allows it.
  after :updated, :prepare_release do
    on roles(:app) do
      within release_path do
        execute :rake, 'db:migrate'
        execute :rake, 'assets:precompile'
      end
    end
  end

  after :published, :restart do
    on roles(:app) do
      # Before the first start there is nothing to restart.
      execute 'passenger-config', 'restart-app', deploy_to, '--ignore-app-not-running', '--ignore-passenger-not-running'
    end
  end
end
